// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_UNIT_SIP_MESSAGES_H
#define SIGNPOST_TESTS_UNIT_SIP_MESSAGES_H

// Real messages that more than one test reads.

// RFC 3261 24.1, message F1, with the Contact's parameters of RFC 3261 10.
#define REGISTER_BOB                                                                               \
    "REGISTER sip:registrar.biloxi.com SIP/2.0\r\n"                                                \
    "Via: SIP/2.0/UDP bobspc.biloxi.com:5060;branch=z9hG4bKnashds7\r\n"                            \
    "Max-Forwards: 70\r\n"                                                                         \
    "To: Bob <sip:bob@biloxi.com>\r\n"                                                             \
    "From: Bob <sip:bob@biloxi.com>;tag=456248\r\n"                                                \
    "Call-ID: 843817637684230@998sdasdh09\r\n"                                                     \
    "CSeq: 1826 REGISTER\r\n"                                                                      \
    "Contact: <sip:bob@192.0.2.4>\r\n"                                                             \
    "Expires: 7200\r\n"                                                                            \
    "Content-Length: 0\r\n"                                                                        \
    "\r\n"

// RFC 4475 3.1.1.1: "A Short Tortuous INVITE".
#define WSINV_HEADER                                                                               \
    "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"                            \
    "TO :\r\n"                                                                                     \
    " sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"                              \
    "from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n"                        \
    "  ;\r\n"                                                                                      \
    "  tag = 98asjd8\r\n"                                                                          \
    "MaX-fOrWaRdS: 0068\r\n"                                                                       \
    "Call-ID: wsinv.ndaksdj@192.0.2.1\r\n"                                                         \
    "Content-Length   : 150\r\n"                                                                   \
    "cseq: 0009\r\n"                                                                               \
    "  INVITE\r\n"                                                                                 \
    "Via  : SIP  /   2.0\r\n"                                                                      \
    " /UDP\r\n"                                                                                    \
    "    192.0.2.2;branch=390skdjuw\r\n"                                                           \
    "s :\r\n"                                                                                      \
    "NewFangledHeader:   newfangled value\r\n"                                                     \
    " continued newfangled value\r\n"                                                              \
    "UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"                                                  \
    "Content-Type: application/sdp\r\n"                                                            \
    "Route:\r\n"                                                                                   \
    " <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"                        \
    "v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n"                                        \
    "  branch  =   z9hG4bK9ikj8  ,\r\n"                                                            \
    " SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n"                                      \
    " z9hG4bK30239\r\n"                                                                            \
    "m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n"                      \
    "      newvalue ;\r\n"                                                                         \
    "  secondparam ; q = 0.33\r\n"                                                                 \
    "\r\n"

#define WSINV_BODY                                                                                 \
    "v=0\r\n"                                                                                      \
    "o=mhandley 29739 7272939 IN IP4 192.0.2.3\r\n"                                                \
    "s=-\r\n"                                                                                      \
    "c=IN IP4 192.0.2.4\r\n"                                                                       \
    "t=0 0\r\n"                                                                                    \
    "m=audio 49217 RTP/AVP 0 12\r\n"                                                               \
    "m=video 3227 RTP/AVP 31\r\n"                                                                  \
    "a=rtpmap:31 LPC\r\n"

#endif
