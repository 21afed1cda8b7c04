PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE location (
    id INTEGER PRIMARY KEY NOT NULL,
    ruid VARCHAR(64) DEFAULT '' NOT NULL,
    username VARCHAR(64) DEFAULT '' NOT NULL,
    domain VARCHAR(64) DEFAULT NULL,
    contact VARCHAR(512) DEFAULT '' NOT NULL,
    received VARCHAR(128) DEFAULT NULL,
    path VARCHAR(512) DEFAULT NULL,
    expires TIMESTAMP WITHOUT TIME ZONE DEFAULT '2030-05-28 21:32:15' NOT NULL,
    q REAL DEFAULT 1.0 NOT NULL,
    callid VARCHAR(255) DEFAULT 'Default-Call-ID' NOT NULL,
    cseq INTEGER DEFAULT 1 NOT NULL,
    last_modified TIMESTAMP WITHOUT TIME ZONE DEFAULT '2000-01-01 00:00:01' NOT NULL,
    flags INTEGER DEFAULT 0 NOT NULL,
    cflags INTEGER DEFAULT 0 NOT NULL,
    user_agent VARCHAR(255) DEFAULT '' NOT NULL,
    socket VARCHAR(64) DEFAULT NULL,
    methods INTEGER DEFAULT NULL,
    instance VARCHAR(255) DEFAULT NULL,
    reg_id INTEGER DEFAULT 0 NOT NULL,
    server_id INTEGER DEFAULT 0 NOT NULL,
    connection_id INTEGER DEFAULT 0 NOT NULL,
    keepalive INTEGER DEFAULT 0 NOT NULL,
    partition INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT location_ruid_idx UNIQUE (ruid)
);
INSERT INTO location VALUES(1,'uloc-6b03209b-185-1','bob','example.com','sip:bob@192.0.2.1:5060',NULL,NULL,2484667.2531192130408,-1.0,'c1@h',1,2461367.2114525465294,0,0,'it''s a "phone\1"; v=1:2,	3','udp:127.0.0.1:5060',NULL,NULL,0,0,-1,0,0);
INSERT INTO location VALUES(2,'uloc-6b03209b-185-3','bob','example.com','sip:bob@192.0.2.2:5061;transport=udp',NULL,NULL,2484667.2947858795524,0.5,'c2@h',7,2461367.2114525465294,0,0,'it''s a "phone\1"; v=1:2,	3','udp:127.0.0.1:5060',NULL,'<urn:uuid:00000000-0000-1000-8000-000A95A0E128>',1,0,-1,0,0);
INSERT INTO location VALUES(3,'uloc-6b03209b-185-4','carol','example.net','sip:carol@192.0.2.3',NULL,NULL,2484667.2183969905599,1.0,'c3',2,2461367.2114525465294,0,0,'it''s a "phone\1"; v=1:2,	3','udp:127.0.0.1:5060',NULL,NULL,0,0,-1,0,0);
INSERT INTO location VALUES(4,'uloc-6b03209b-185-5','nat','example.com','sip:nat@10.0.0.5:5060','sip:127.0.0.1:61000',NULL,2484667.2531192130408,-1.0,'c4',3,2461367.2114525465294,0,64,'it''s a "phone\1"; v=1:2,	3','udp:127.0.0.1:5060',NULL,NULL,0,0,-1,1,0);
INSERT INTO location VALUES(5,'uloc-6b03209b-185-6','pathy','example.com','sip:p@192.0.2.9',NULL,'<sip:edge.example.com;lr>',2484667.2531192130408,-1.0,'c5',4,2461367.2114525465294,0,0,'it''s a "phone\1"; v=1:2,	3','udp:127.0.0.1:5060',NULL,NULL,0,0,-1,0,0);
INSERT INTO location VALUES(6,'uloc-6b03209b-185-7','we:ird\','example.com','sip:we%3aird''x@192.0.2.10;x=y',NULL,NULL,2484667.2531192130408,-1.0,'c6:7',5,2461367.2114525465294,0,0,'it''s a "phone\1"; v=1:2,	3','udp:127.0.0.1:5060',NULL,NULL,0,0,-1,0,0);
CREATE TABLE version (
    table_name VARCHAR(32) NOT NULL
);
INSERT INTO version VALUES('location');
COMMIT;
