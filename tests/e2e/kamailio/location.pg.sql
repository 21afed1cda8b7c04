--
-- PostgreSQL database dump
--

\restrict x'y
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

CREATE FUNCTION public.rand() RETURNS double precision
    LANGUAGE sql
    AS $$SELECT random();$$;

COPY public.location (id, ruid, username, domain, contact, received, path, expires, q, callid, cseq, last_modified, flags, cflags, user_agent, socket, methods, instance, reg_id, server_id, connection_id, keepalive, partition) FROM stdin;
1	uloc-6b032098-7fe8-1	bob	example.com	sip:bob@192.0.2.1:5060	\N	\N	2090-08-02 15:24:26	-1.00	c1@h	1	2026-11-22 17:04:26	0	0	it's a "phone\\1"; v=1:2,\t3	udp:127.0.0.1:5060	\N	\N	0	0	-1	0	0
2	uloc-6b032098-7fe8-3	bob	example.com	sip:bob@192.0.2.2:5061;transport=udp	\N	\N	2090-08-02 16:24:26	0.50	c2@h	7	2026-11-22 17:04:26	0	0	it's a "phone\\1"; v=1:2,\t3	udp:127.0.0.1:5060	\N	<urn:uuid:00000000-0000-1000-8000-000A95A0E128>	1	0	-1	0	0
3	uloc-6b032098-7fe8-4	carol	example.net	sip:carol@192.0.2.3	\N	\N	2090-08-02 14:34:26	1.00	c3	2	2026-11-22 17:04:26	0	0	it's a "phone\\1"; v=1:2,\t3	udp:127.0.0.1:5060	\N	\N	0	0	-1	0	0
4	uloc-6b032098-7fe8-5	nat	example.com	sip:nat@10.0.0.5:5060	sip:127.0.0.1:61000	\N	2090-08-02 15:24:26	-1.00	c4	3	2026-11-22 17:04:26	0	64	it's a "phone\\1"; v=1:2,\t3	udp:127.0.0.1:5060	\N	\N	0	0	-1	1	0
5	uloc-6b032098-7fe8-6	pathy	example.com	sip:p@192.0.2.9	\N	<sip:edge.example.com;lr>	2090-08-02 15:24:26	-1.00	c5	4	2026-11-22 17:04:26	0	0	it's a "phone\\1"; v=1:2,\t3	udp:127.0.0.1:5060	\N	\N	0	0	-1	0	0
6	uloc-6b032098-7fe8-7	we:ird\\	example.com	sip:we%3aird'x@192.0.2.10;x=y	\N	\N	2090-08-02 15:24:26	-1.00	c6:7	5	2026-11-22 17:04:26	0	0	it's a "phone\\1"; v=1:2,\t3	udp:127.0.0.1:5060	\N	\N	0	0	-1	0	0
\.


SELECT pg_catalog.setval('public.location_id_seq', 7, true);
\unrestrict x'y
