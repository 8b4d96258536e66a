/*
 * Web shells by what carries them: settings dumps, mailbox files, certificate requests, pictures,
 * logs. Detection ids PL-15, PS-13, PS-14, WS-10, WS-11, WS-35, PN-06.
 */

rule PL_15_virtual_directory_dump
{
    meta:
        id = "PL-15"
        title = "Dump of a virtual directory that holds script"
        description = "The reset of a virtual directory (CVE-2021-27065) writes its properties as \"Name : value\" lines. One of the URLs holds script, which makes the file a web shell when it is stored as a page."
        level = "critical"
        confidence = "certain"
        tags = "attack.persistence,attack.t1505.003,cve.2021-27065"
        reference = "https://www.microsoft.com/en-us/security/blog/2021/03/02/hafnium-targeting-exchange-servers/"
        author = "extriage"
        hit1 = "Name                            : OAB (Default Web Site)\r\nInternalAuthenticationMethods   : WindowsIntegrated\r\nExternalUrl                     : http://f/<scr\x69pt><%-- inert --%>\r\n"
        hit2 = "InternalUrl : https://exch01/OAB\nInternalAuthenticationMethods : Basic\nExternalUrl : http://g/#<%-- run\x61t=server --%>\n"
        miss1 = "Name : OAB (Default Web Site)\r\nInternalAuthenticationMethods : WindowsIntegrated\r\nExternalUrl : https://mail.contoso.example/OAB\r\n"
        miss2 = "<script>var ExternalUrl : string;</script>"
    strings:
        $url = /(Internal|External)Url\s{1,60}:/ nocase
        $methods = "InternalAuthenticationMethods" nocase
        $script = "<script" nocase
        $runat = /runat\s{0,4}=/ nocase
        $request = /\bRequest\s{0,4}(\[|\(|\.(Item|Form|QueryString|Params))/ nocase
        $url_w = "ExternalUrl" wide nocase
        $methods_w = "InternalAuthenticationMethods" wide nocase
        $script_w = "<script" wide nocase
    condition:
        filesize < 1MB and
        (($url and $methods and any of ($script, $runat, $request)) or ($url_w and $methods_w and $script_w))
}

rule PS_13_mailbox_file_as_page
{
    meta:
        id = "PS-13"
        title = "Mailbox file that holds a page"
        description = "A PST file (it begins with !BDN) with ASP.NET code in it, as the mailbox export of ProxyShell writes it; ASP.NET runs the code and prints the rest."
        level = "critical"
        confidence = "certain"
        tags = "attack.persistence,attack.t1505.003,cve.2021-31207"
        reference = "https://www.cve.org/CVERecord?id=CVE-2021-31207"
        author = "extriage"
        hit1 = "!BDN\x8b\x01\x17<scr\x69pt language=JScript run\x61t=server><%-- inert --%>"
        hit2 = "!BDN\x17\x17 <%@ Pa\x67e Language=\"C#\" %><%-- inert --%>"
        miss1 = "!BDN\x8b\x01\x17 minutes of the meeting"
        miss2 = "<%@ Page %> about PST files, which begin with !BDN"
    strings:
        $page = /<%@\s{0,8}(Page|WebHandler|WebService)\b/ nocase
        $script = /<script[^>]{1,80}runat/ nocase
    condition:
        uint32be(0) == 0x2142444E and
        (extension matches /^\.(aspx?|ashx|asmx|asax|cshtml|php|jsp|cer)$/i or (filesize < 2MB and any of them))
}

rule PS_14_certificate_request_as_page
{
    meta:
        id = "PS-14"
        title = "Certificate request that holds a page"
        description = "A DER file with script in it, as New-ExchangeCertificate writes it when the subject name is code."
        level = "critical"
        confidence = "certain"
        tags = "attack.persistence,attack.t1505.003,cve.2021-31207"
        reference = "https://www.cve.org/CVERecord?id=CVE-2021-31207"
        author = "extriage"
        hit1 = "0\x82\x05\x10\x02\x01\x01<scr\x69pt run\x61t=server><%-- inert --%>"
        hit2 = "0\x82\x04\x77CN=<%-- inert --%>"
        miss1 = "0\x82\x05\x10\x02\x01\x01CN=mail.contoso.example"
        miss2 = "<script runat=server>/* not DER */</script>"
    strings:
        $script = /<script[^>]{0,80}>/ nocase
        $tag = /<%[@=#\s\-]/
    condition:
        uint16be(0) == 0x3082 and filesize < 64KB and any of them
}

rule WS_10_page_in_binary
{
    meta:
        id = "WS-10"
        title = "Page inside a binary file"
        description = "The file begins like a picture, a document, an archive or a mailbox file and holds ASP.NET code. Stored or mapped as a page it runs."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1036"
        reference = "https://attack.mitre.org/techniques/T1036/"
        author = "extriage"
        hit1 = "GIF89a<%@ Pa\x67e Language=\"C#\" %><%-- inert --%>"
        hit2 = "\x89PNG\r\n\x1a\n<scr\x69pt language=JScript run\x61t=\"server\"><%-- inert --%>"
        hit3 = "\xff\xd8\xff\xe0JFIF<%@ W\x65bHandler %><%-- inert --%>"
        miss1 = "GIF89a plain picture"
        miss2 = "<%@ Page %><img src=\"data:image/gif;base64,R0lGODlh\">"
    strings:
        $page = /<%@\s{0,8}(page|webhandler|webservice)\b/ nocase
        $script = /<script[^>]{0,60}runat\s{0,4}=\s{0,4}["']?server/ nocase
    condition:
        filesize < 8MB and any of ($page, $script) and
        (uint32be(0) == 0x89504E47 or uint32be(0) == 0x47494638 or (uint32be(0) & 0xFFFFFF00) == 0xFFD8FF00 or
         uint32be(0) == 0x25504446 or uint32be(0) == 0x2142444E or uint16be(0) == 0x3082 or uint16be(0) == 0x424D or
         (uint32be(0) == 0x504B0304 and extension matches /^\.(aspx?|ashx|asmx|asax|cshtml|config|master|cer|soap|svc)$/i))
}

rule WS_11_handler_remap
{
    meta:
        id = "WS-11"
        title = "Configuration that runs other files as pages"
        description = "A web.config that hands pictures, logs, style sheets or configuration files to the page engine, or that holds page code itself."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003"
        reference = "https://learn.microsoft.com/en-us/iis/configuration/system.webserver/handlers/"
        author = "extriage"
        hit1 = "<configuration><system.webServer><handlers><add name=\"x\" path=\"*.config\" verb=\"*\" modules=\"IsapiModule\" scriptProcessor=\"asp.dll\" /></handlers></system.webServer></configuration>"
        hit2 = "<configuration><system.webServer><handlers><add name=\"x\" type=\"System.Web.UI.PageHandlerFactory\" path=\"*.png\" verb=\"*\" /></handlers></system.webServer></configuration>"
        hit3 = "<configuration></configuration><!-- <%= Requ\x65st, inert %> -->"
        miss1 = "<configuration><system.webServer><handlers><add name=\"x\" path=\"*.aspx\" verb=\"*\" type=\"System.Web.UI.PageHandlerFactory\" /></handlers></system.webServer></configuration>"
        miss3 = "<configuration><system.webServer><handlers><add name=\"robots\" path=\"robots.txt\" verb=\"GET\" type=\"System.Web.UI.SimpleHandlerFactory\" /></handlers></system.webServer></configuration>"
        miss4 = "<configuration><appSettings><add key=\"Title\" value=\"<%= title %>\" /></appSettings></configuration>"
        miss2 = "<configuration><system.webServer><handlers><add name=\"js\" path=\"*.js\" verb=\"GET\" type=\"System.Web.StaticFileHandler\" /></handlers></system.webServer></configuration>"
    strings:
        $root = /<configuration[\s>]/
        $map = /<add\s[^>]{0,200}path\s{0,4}=\s{0,4}"[^"]{0,40}\.(config|png|jpe?g|gif|bmp|log|ico)"[^>]{0,300}(PageHandlerFactory|SimpleHandlerFactory|asp\.dll|aspnet_isapi)/ nocase
        $map_reversed = /<add\s[^>]{0,300}(PageHandlerFactory|SimpleHandlerFactory|asp\.dll|aspnet_isapi)[^>]{0,300}path\s{0,4}=\s{0,4}"[^"]{0,40}\.(config|png|jpe?g|gif|bmp|log|ico)"/ nocase
        $any_text = /<add\s[^>]{0,200}path\s{0,4}=\s{0,4}"\*\.(txt|css|js)"[^>]{0,300}(PageHandlerFactory|SimpleHandlerFactory|asp\.dll|aspnet_isapi)/ nocase
        $code = /<%[@=\s][^>]{0,1000}(Request|Response\.|CreateObject|Execute|eval\s{0,4}\(|Process)[^>]{0,1000}%>/ nocase
        $build = /buildProviders>.{0,300}extension\s{0,4}=\s{0,4}"\.(config|png|jpe?g|gif|txt|log)"[^>]{0,200}PageBuildProvider/s nocase
    condition:
        filesize < 1MB and $root and any of ($map, $map_reversed, $any_text, $code, $build)
}

rule WS_35_page_code_in_static_file
{
    meta:
        id = "WS-35"
        title = "Page code in a file that is no page"
        description = "A log or picture in a web folder holds an ASP.NET directive, or a style sheet or script begins with one (editors' scripts hold some as samples). It waits to be renamed, or another page includes it."
        level = "high"
        confidence = "high"
        tags = "attack.defense-evasion,attack.t1036,attack.t1505.003"
        reference = "https://raw.githubusercontent.com/Azure/Azure-Sentinel/master/Sample%20Data/Feeds/MSTICIoCs-ExchangeServerVulnerabilitiesDisclosedMarch2021.csv"
        author = "extriage"
        hit1 = "2021-03-03 log <%@ Pa\x67e Language=\"JScript\" %><%-- inert --%>"
        hit2 = "body{} <%@ W\x65bHandler Class=\"x\" %><%-- inert --%>"
        miss1 = "2021-03-03 08:14:55 GET /default.aspx 200"
        miss2 = "body { color: black; } /* <% */"
    strings:
        $directive = /<%@\s{0,8}(page|webhandler|webservice)\b/ nocase
    condition:
        filesize < 4MB and
        ((extension matches /^\.(css|js)$/i and $directive in (0..64)) or
         ($directive and (filename == "" or extension matches /^\.(log|gif|png|jpe?g|bmp|ico)$/i)))
}

rule WS_35_page_under_another_name
{
    meta:
        id = "WS-35"
        title = "Page with script that is stored as text or copy"
        description = "A text, data or backup file in a web folder begins with an ASP.NET directive and holds server-side script. Backups of honest pages look the same."
        level = "low"
        confidence = "medium"
        tags = "attack.defense-evasion,attack.t1036,attack.t1505.003"
        reference = "https://attack.mitre.org/techniques/T1036/"
        author = "extriage"
        hit1 = "<%@ Pa\x67e Language=\"C#\" %><scr\x69pt run\x61t=\"server\"><%-- inert --%>"
        hit2 = "\xef\xbb\xbf<%@ W\x65bHandler Language=\"C#\" Class=\"x\" %> class x : IHttpHandl\x65r"
        miss1 = "How to write <%@ Page %> and <script runat=\"server\">"
        miss2 = "<%@ Page Title=\"Home\" Inherits=\"Site.Home\" %><asp:Label runat=\"server\" />"
    strings:
        $directive = /<%@\s{0,8}(page|webhandler|webservice)\b/ nocase
        $script = /<script[^>]{0,80}runat\s{0,4}=\s{0,4}["']?server/ nocase
        $handler = "IHttpHandler"
    condition:
        filesize < 1MB and $directive in (0..4) and any of ($script, $handler) and
        (filename == "" or extension matches /^\.(txt|dat|bak|tmp|old|orig|xml|html?)$/i)
}

rule WS_35_archive_or_program_in_static_file
{
    meta:
        id = "WS-35"
        title = "Archive or program that poses as a static file"
        description = "A file of a static kind in a web folder is an archive or a program by its first bytes."
        level = "high"
        confidence = "high"
        tags = "attack.collection,attack.t1036,attack.t1074.001"
        reference = "https://attack.mitre.org/techniques/T1074/001/"
        author = "extriage"
        hit1 = "7z\xbc\xaf\x27\x1c rest"
        hit2 = "Rar!\x1a\x07\x01 rest"
        hit3 = "MSCF rest"
        miss1 = "GIF89a picture"
        miss2 = "Rarely asked questions"
        miss3 = "MZ are the initials of a person"
    strings:
        $dos = "This program cannot be run in DOS mode"
    condition:
        (filename == "" or extension matches /^\.(log|txt|gif|png|jpe?g|bmp|ico|css|js|aspx?|html?)$/i) and
        ((uint32be(0) == 0x377ABCAF and uint16be(4) == 0x271C) or (uint32be(0) == 0x52617221 and uint16be(4) == 0x1A07) or
         uint32be(0) == 0x4D534346 or uint32be(0) == 0x504B0304 or (uint16be(0) == 0x4D5A and $dos in (0..1024)))
}

rule PN_06_changed_redirect_page
{
    meta:
        id = "PN-06"
        title = "Microsoft's redirect page with code added"
        description = "RedirSuiteServiceProxy.aspx had one content in all builds from 2013 to 2021 and neither evaluates nor decodes anything. Intruders of the ProxyNotShell time wrote their shell into it."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,cve.2022-41082"
        reference = "https://www.cve.org/CVERecord?id=CVE-2022-41082"
        author = "extriage"
        hit1 = "<%@ Page Inherits=\"Microsoft.Exchange.Clients.RedirSuiteServiceProxy\" %><%-- ev\x61l(q) --%>"
        hit2 = "<%-- RedirSuiteServiceProxy FromB\x61se64String(x) --%>"
        miss1 = "<%@ Page Inherits=\"Microsoft.Exchange.Clients.RedirSuiteServiceProxy\" %>"
        miss2 = "<%@ Page Inherits=\"Microsoft.Exchange.Clients.Logon\" %><% eval(x) %>"
    strings:
        $name = "RedirSuiteServiceProxy"
        $act1 = /\beval\s{0,8}\(/
        $act2 = "FromBase64String"
        $act3 = /\bRequest\s{0,4}\[/
        $act4 = /\bAssembly\b.{0,40}\bLoad\s{0,8}\(/s
        $act5 = /\bProcess\.Start\s{0,4}\(/
        $tag = /<%[@=#:\-\s]/
    condition:
        filesize < 1MB and $tag and ($name or filename matches /^RedirSuiteServiceProxy\.aspx$/i) and any of ($act*)
}
