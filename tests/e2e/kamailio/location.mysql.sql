-- MySQL dump 10.19  Distrib 10.3.39-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: kamailio
-- ------------------------------------------------------
/*!40101 SET NAMES utf8mb4 */;
/*!40103 SET TIME_ZONE='+00:00' */;

--
-- Table structure for table `location`
--

DROP TABLE IF EXISTS `location`;
CREATE TABLE `location` (
  `id` varchar(255) DEFAULT NULL,
  `ruid` varchar(255) DEFAULT NULL,
  `username` varchar(255) DEFAULT NULL,
  `domain` varchar(255) DEFAULT NULL,
  `contact` varchar(255) DEFAULT NULL,
  `received` varchar(255) DEFAULT NULL,
  `path` varchar(255) DEFAULT NULL,
  `expires` varchar(255) DEFAULT NULL,
  `q` varchar(255) DEFAULT NULL,
  `callid` varchar(255) DEFAULT NULL,
  `cseq` varchar(255) DEFAULT NULL,
  `last_modified` varchar(255) DEFAULT NULL,
  `flags` varchar(255) DEFAULT NULL,
  `cflags` varchar(255) DEFAULT NULL,
  `user_agent` varchar(255) DEFAULT NULL,
  `socket` varchar(255) DEFAULT NULL,
  `methods` varchar(255) DEFAULT NULL,
  `instance` varchar(255) DEFAULT NULL,
  `reg_id` varchar(255) DEFAULT NULL,
  `server_id` varchar(255) DEFAULT NULL,
  `connection_id` varchar(255) DEFAULT NULL,
  `keepalive` varchar(255) DEFAULT NULL,
  `partition` varchar(255) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `ruid_idx` (`ruid`),
  KEY `account_contact_idx` (`username`,`domain`,`contact`)
) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=latin1;

LOCK TABLES `location` WRITE;
/*!40000 ALTER TABLE `location` DISABLE KEYS */;
INSERT INTO `location` VALUES (1,'uloc-6b032098-7fe8-1','bob','example.com','sip:bob@192.0.2.1:5060',NULL,NULL,'2090-08-02 15:24:26',-1.00,'c1@h',1,'2026-11-22 17:04:26',0,0,'it\'s a \"phone\\1\"; v=1:2,\t3','udp:127.0.0.1:5060',NULL,NULL,0,0,-1,0,0),(2,'uloc-6b032098-7fe8-3','bob','example.com','sip:bob@192.0.2.2:5061;transport=udp',NULL,NULL,'2090-08-02 16:24:26',0.50,'c2@h',7,'2026-11-22 17:04:26',0,0,'it\'s a \"phone\\1\"; v=1:2,\t3','udp:127.0.0.1:5060',NULL,'<urn:uuid:00000000-0000-1000-8000-000A95A0E128>',1,0,-1,0,0),(3,'uloc-6b032098-7fe8-4','carol','example.net','sip:carol@192.0.2.3',NULL,NULL,'2090-08-02 14:34:26',1.00,'c3',2,'2026-11-22 17:04:26',0,0,'it\'s a \"phone\\1\"; v=1:2,\t3','udp:127.0.0.1:5060',NULL,NULL,0,0,-1,0,0),(4,'uloc-6b032098-7fe8-5','nat','example.com','sip:nat@10.0.0.5:5060','sip:127.0.0.1:61000',NULL,'2090-08-02 15:24:26',-1.00,'c4',3,'2026-11-22 17:04:26',0,64,'it\'s a \"phone\\1\"; v=1:2,\t3','udp:127.0.0.1:5060',NULL,NULL,0,0,-1,1,0),(5,'uloc-6b032098-7fe8-6','pathy','example.com','sip:p@192.0.2.9',NULL,'<sip:edge.example.com;lr>','2090-08-02 15:24:26',-1.00,'c5',4,'2026-11-22 17:04:26',0,0,'it\'s a \"phone\\1\"; v=1:2,\t3','udp:127.0.0.1:5060',NULL,NULL,0,0,-1,0,0),(6,'uloc-6b032098-7fe8-7','we:ird\\','example.com','sip:we%3aird\'x@192.0.2.10;x=y',NULL,NULL,'2090-08-02 15:24:26',-1.00,'c6:7',5,'2026-11-22 17:04:26',0,0,'it\'s a \"phone\\1\"; v=1:2,\t3','udp:127.0.0.1:5060',NULL,NULL,0,0,-1,0,0);
/*!40000 ALTER TABLE `location` ENABLE KEYS */;
UNLOCK TABLES;
