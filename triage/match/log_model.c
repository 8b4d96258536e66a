#include "triage/match/log_model.h"

#include <pthread.h>
#include <string.h>

#include "triage/match/ascii.h"

/* Honest text of our own making in the shape of the logs and pages that are searched: lower case,
 * every digit written as 0. What is common in a new kind of log belongs here. */
static const char sample[] =
    "0000-00-00 00:00:00 00.0.0.00 post /microsoft-server-activesync/default.eas "
    "cmd=sync&user=corp%0canna."
    "meier&deviceid=appldnqxf0jwgf00&devicetype=iphone&cafereqid=0b0e0c0a-0d0f-00c0-00b0-"
    "00a0e0f0d0c0; 000 "
    "corp\\anna.meier 000.00.000.00 apple-iphone00c0/0000.00 - 000 0 0 0000 0000 00\n"
    "0000-00-00 00:00:00 00.0.0.00 get /owa/ "
    "&actid=0000e0a0-000b-0000&corrid=<empty>;&clientid=abcdefgh&"
    "cafereqid=00c0; 000 - 00.0.0.00 "
    "mozilla/0.0+(windows+nt+00.0;+win00;+x00)+applewebkit/000.00+(khtml,"
    "+like+gecko)+chrome/000.0.0000.00+safari/000.00+edg/00.0.000.00 "
    "https://mail.example.com/owa/auth/"
    "logon.aspx?replacecurrent=0&url=https%0a%0f%0fmail.example.com%0fowa 000 0 0 00\n"
    "0000-00-00 00:00:00 00.0.0.00 post /owa/service.svc action=finditem&ep=0&id=-00&ac=0 000 "
    "anna@example.com 00.0.0.00 mozilla/0.0+(windows+nt+0.0;+trident/0.0;+rv:00.0)+like+gecko "
    "https://mail.example.com/owa/ 000 0 0 000\n"
    "0000-00-00 00:00:00 00.0.0.00 get /owa/prem/00.0.0000.0/resources/styles/0/images/flag.png - "
    "000 - "
    "00.0.0.00 mozilla/0.0+(macintosh;+intel+mac+os+x+00_00_0)+applewebkit/000.0 - 000 0 0 0\n"
    "0000-00-00 00:00:00 00.0.0.00 post /ews/exchange.asmx ;&correlationid=<empty>; 000 corp\\srv$ "
    "00.0.0.00 microsoft+office/00.0+(windows+nt+00.0;+microsoft+outlook+00.0.0000;+pro) - 000 0 0 "
    "00\n"
    "0000-00-00 00:00:00 00.0.0.00 post /mapi/emsmdb/ "
    "mailboxid=00c0f0e0-0000-00aa-bb00-00cc00dd00ee@"
    "example.com&correlationid=<empty>; 000 corp\\anna.meier 00.0.0.00 microsoft+office/00.0 - 000 "
    "0 0 0\n"
    "0000-00-00 00:00:00 00.0.0.00 post /mapi/nspi/ mailboxid=00c0f0e0@example.com 000 - 00.0.0.00 "
    "- 000\n"
    "0000-00-00 00:00:00 00.0.0.00 post /autodiscover/autodiscover.xml "
    "&correlationid=<empty>;&cafereqid= "
    "000 corp\\user 00.0.0.00 microsoft+office/00.0 - 000 0 00 00\n"
    "0000-00-00 00:00:00 ::0 get /ecp/ exsvc_healthcheck&correlationid=<empty>;&clientid= 00 - ::0 "
    "amprobe/local/clientaccess - 000 0 0 0\n"
    "0000-00-00 00:00:00 00.0.0.00 post /ecp/ddi/ddiservice.svc/getlist "
    "schema=mailboxservice&msexch"
    "ecpcanary=abc. 000 admin@example.com 00.0.0.00 mozilla/0.0 "
    "https://mail.example.com/ecp/usersgroups/"
    "mailboxes.slab?showhelp=false 000 0 0 00\n"
    "0000-00-00 00:00:00 fe00::00c0:00a0%00 post /powershell "
    "serializationlevel=full;clientapplication="
    "managementshell;psversion=0.0.00000.000 00 corp\\system fe00::0 microsoft+winrm+client - 000 "
    "0 0\n"
    "0000-00-00 00:00:00 00.0.0.00 rpc_in_data /rpc/rpcproxy.dll 00c0f0e0@example.com:0000 000 - "
    "00.0.0.00 msrpc - 000 0 00 00\n"
    "0000-00-00 00:00:00 00.0.0.00 options / - 000 - 00.0.0.00 - - 000 0 0 0 get "
    "/oab/00c0f0e0/oab.xml "
    "get /robots.txt get /favicon.ico get /default.aspx get /scripts/jquery.min.js get "
    "/content/site.css\n"
    "0000-00-00t00:00:00.000z,00c0f0e0-aa00-00bb-cc00-00dd00ee00ff,00,0,0000,00,,owa,mail.example."
    "com,/owa/"
    "ev.owa,,fba,true,corp\\anna.meier,,sid~s-0-0-00-0000000000-0000000000-000000000-0000,mozilla/"
    "0.0 "
    "(windows nt 00.0; win00; "
    "x00),00.0.0.00,exch00,000,000,,post,proxy,exch00.corp.example.com,00.00."
    "0000.000,intraforest,windowsidentity,,,,0000,0000,0,,0,0,,0,,0,0,,0,00,0,0,0,beginrequest="
    "0000-00-"
    "00t00:00:00.000z;correlationid=<empty>;proxystate-run=none;dbguid=;fedomain=example.com;"
    "bedomain="
    "exch00;onprempinfo;sharedcache=mailboxid "
    "cache;proxytobackend;endrequest;i00:ads.c[dc00]=0;f:ads."
    "al[dc00]=0.00;i00:ats.c[dc00.corp.example.com]=0;f:ats.al;dbl:wlm.ts=0.0;dbl:budguse.t[]=00."
    "00\n"
    "0000-00-00t00:00:00.000z,exch00,ecp.request,s:time=00;s:sid=00c0f0e0;s:cmd=get-mailbox;s:"
    "reqid=;s:url="
    "/ecp/ruleseditor/inboxrules.svc/getlist?msexchecpcanary=;s:referrer=https://mail.example.com/"
    "ecp/;s:"
    "ex=;s:actid=;s:rs=0;s:bld=00.0.0000.0;s:tname=<null>;s:tid=;s:usid=;s:edoid=;s:acid=\n"
    "0000-00-00t00:00:00.000z,00c0,00,0,0000,ews,true,corp\\svc_backup,,exchangeservicesclient/"
    "00.00,"
    "target=none;req=exchange0000/"
    "exchange0000;,00.0.0.00,exch00,exch00,finditem,000,0000,,getfolder,"
    "sessionid=00c0,kerberos,getuseravailability,syncfolderitems,mdbresource:mailbox database "
    "00(health:"
    "-0%,historicalload:0),throttlingpolicy_00,globalthrottlingpolicy,getmailtips,getitem,"
    "subscribe\n"
    "0000-00-00t00:00:00.000z,,,,exch00,no suitable shadow "
    "servers,,smtp,haredirectfail,00000,<00c0@"
    "exch00.corp.example.com>,anna@example.com,,00000,0,,,re: meeting "
    "tomorrow,storedriver,deliver,receive,"
    "send,submit,email,mdb:00c0, mailbox:00c0, event:000, messageclass:ipm.note, "
    "creationtime:0000-00-"
    "00t00:00:00.000z, clienttype:momt, "
    "submissionassistant:mailboxtransportsubmissionemailassistant,"
    "originating,incoming,s:deliverypriority=normal;s:primaryserver=exch00;healthmailbox00c0@"
    "example.com\n"
    "0000-00-00 00:00:00 00.0.0.00 00000 00.0.0.00 000 http/0.0 get /owa/auth/logon.aspx - 000 0 "
    "timer_"
    "connectionidle - timer_minbytespersecond connection_dropped msexchangeowaapppool "
    "defaultapppool\n"
    "microsoft-windows-security-auditing{00000000-0000-0000-a0ba-0e0b000c000d} 0000 0 0 00000 0 "
    "0x0000000000000000 0000-00-00t00:00:00.0000000z 000000 000 0000 security "
    "exch00.corp.example.com "
    "s-0-0-00 exch00$ corp 0x0e0 s-0-0-00 system nt authority 0x0e0 advapi negotiate - "
    "c:\\windows\\system00\\services.exe c:\\windows\\system00\\svchost.exe\n"
    "microsoft-windows-eventlog system eventlog service control manager stopped running 0000 "
    "application microsoft-windows-powershell powershell console command arguments "
    "c:\\windows\\system00\\windowspowershell\\v0.0\\powershell.exe "
    "http://schemas.microsoft.com/win/0000/00/events\n"
    "c:\\program files\\microsoft\\exchange server\\v00\\bin\\ c:\\program files (x00)\\common "
    "files\\ "
    "c:\\programdata\\microsoft\\windows\\start menu\\programs\\ c:\\users\\public\\desktop\\ "
    "c:\\users\\all users\\ "
    "c:\\users\\administrator\\appdata\\local\\temp\\ c:\\windows\\syswow00\\ "
    "c:\\windows\\temp\\ c:\\inetpub\\wwwroot\\ c:\\perflogs\\ .dll .exe\n"
    "hklm\\software\\microsoft\\windows nt\\currentversion\\ hklm\\software\\classes\\clsid\\ "
    "hklm\\system\\currentcontrolset\\services\\ hku\\s-0-0-00-0000000000\\ "
    "%systemroot%\\system00\\ dword (0x00000000) binary data\n"
    "<%@ page language=\"c#\" autoeventwireup=\"true\" codebehind=\"default.aspx.cs\" "
    "inherits=\"default\" %><asp:textbox id=\"name\" runat=\"server\" text=\"value\" />\n"
    "<script type=\"text/javascript\">var value = document.getelementbyid();</script>\n"
    "request[\"id\"] request.querystring[\"id\"] request.form request(\"id\") request.params "
    "request.servervariables request.cookies request.headers request.files request.url "
    "request.path request.isauthenticated response.write(server.htmlencode(value.text));\n"
    "using system; using system.web; using system.io; public class : protected void "
    "page_load(object sender, eventargs e) { string value = new string(); return value; }\n";

enum { SHORTEST = 2, LONGEST = 4, TABLE_BITS = 16 };

static const double DIGIT_SHARE = 0.25;

/* How often each run of two, three and four bytes stands in the sample, up to 255; by hash. Never
 * changed once counted. */
static uint8_t counts[LONGEST - SHORTEST + 1][1 << TABLE_BITS];
static uint16_t byte_counts[256];
static pthread_once_t counted = PTHREAD_ONCE_INIT;

/* `run`: the first byte in the lowest bits, nothing above the last one. */
static uint8_t *count_of(uint32_t run, size_t size)
{
    return &counts[size - SHORTEST][run * 0x9E3779B1u >> (32 - TABLE_BITS)];
}

static uint32_t run_at(const uint8_t *bytes, size_t size)
{
    uint32_t run = 0;

    for (size_t i = size; i-- > 0;)
        run = run << 8 | bytes[i];
    return run;
}

static void count_sample(void)
{
    for (size_t at = 0; at + 1 < sizeof sample; at++)
        byte_counts[(uint8_t)sample[at]]++;
    for (size_t size = SHORTEST; size <= LONGEST; size++)
        for (size_t at = 0; at + size < sizeof sample; at++) {
            uint8_t *count = count_of(run_at((const uint8_t *)sample + at, size), size);

            *count += *count < UINT8_MAX;
        }
}

/* Every digit as 0, letters in lower case. */
static uint8_t canonical(uint8_t c)
{
    return c >= '0' && c <= '9' ? '0' : ascii_lower(c);
}

/* Runs that the sample lacks are judged by their parts: each step down counts for a twentieth. The
 * sample has one digit for all ten, of which some are more common than others. */
double log_model_frequency(const uint8_t *bytes, size_t size)
{
    const double scale = 1e6 / sizeof sample;
    uint32_t run = 0;
    double frequency = 0.01, weight = 1, digits = 1;

    pthread_once(&counted, count_sample);
    for (size_t i = 0; i < size; i++) {
        const uint8_t byte = canonical(bytes[i]);
        run |= (uint32_t)byte << 8 * i;
        digits *= byte == '0' ? DIGIT_SHARE : 1;
    }
    for (size_t part = size; part >= SHORTEST; part--, weight /= 20) {
        const uint32_t mask = UINT32_MAX >> (32 - 8 * part);
        for (size_t at = 0; at + part <= size; at++)
            frequency +=
                weight * *count_of(run >> 8 * at & mask, part) * scale / (double)(size - part + 1);
    }
    return frequency * digits;
}

double log_model_share(uint8_t byte)
{
    const bool digit = byte >= '0' && byte <= '9';

    pthread_once(&counted, count_sample);
    return (double)byte_counts[digit ? '0' : byte] / (digit ? 10 : 1) / sizeof sample;
}
