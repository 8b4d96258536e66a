/*
 * Web shells that store, manage and hand out files, and those that open databases.
 * Ids WS-03, WS-05. Each rule asks for a server-side context ("<%" or
 * runat=server), so that scripts meant for the browser do not match, and bounds the file size.
 * Examples are inert: the code stands in a server-side comment and is spelt with escapes. Names such
 * as "Field[" and "Decoded[" stand in the lines that triage/formats/page_flow.c adds to a page.
 */

rule WS_03_upload_page
{
    meta:
        id = "WS-03"
        title = "Page that stores what the client sends where the client says"
        description = "A file name that is the client's alone is opened for writing, or a page below a kilobyte saves an upload in one statement. SIMPLESEESHARP and like droppers bring the real web shell this way. Honest uploads choose the folder themselves."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1105"
        reference = "https://www.volexity.com/blog/2021/03/02/active-exploitation-of-microsoft-exchange-zero-day-vulnerabilities/"
        author = "extriage"
        hit1 = "<%-- Requ\x65st.Files[0].Save\x41s(Server.MapPath(\"x\")); --%>"
        hit2 = "<%-- new StreamWr\x69ter(Requ\x65st.Form[\"p\"]) --%>"
        hit3 = "<%-- System.IO.File.WriteAll\x54ext(Requ\x65st[\"f\"], Requ\x65st[\"d\"]); --%>"
        hit4 = "<%-- f.Save\x41s(Server.MapPath(Requ\x65st.QueryString[\"n\"])); --%>"
        hit5 = "<%-- string n = Requ\x65st.Form[\"n\"]; File.WriteAllByt\x65s(n, b); --%>"
        hit6 = "<%-- set f = fso.CreateT\x65xtFile(server.mappath(requ\x65st(\"n\"))) --%>"
        hit7 = "<%-- FileUpload1.Save\x41s(TextBox1.Text); --%>"
        hit8 = "<%-- var f = new FileInf\x6f(Where.Text); f.CreateT\x65xt(); --%><asp:TextBox id=\"Where\" runat=\"server\" />"
        hit9 = "<%@ W\x65bService Class=\"S\" %> [WebM\x65thod] public void Put(string where, string what) { /* inert */ File.WriteAllT\x65xt(where, what); }"
        miss1 = "<%@ Page %><form runat=\"server\"><input type=\"file\" /></form><% int n = Request.Files.Count; %>"
        miss2 = "<%@ Page %><% System.IO.File.WriteAllText(LogPath, message); %>"
        miss3 = "<%@ WebHandler %> var f = context.Request.Files[\"Filedata\"]; string folder = context.Server.MapPath(\"~/uploads/\"); f.SaveAs(folder + f.FileName);"
        miss4 = "<%@ Page %><% FileUpload1.SaveAs(Request.PhysicalApplicationPath + \"Images\\\\\" + FileUpload1.FileName); %>"
        miss11 = "<%@ WebHandler %> string folder = context.Server.MapPath(\"~/upload/\"); context.Request.Files[0].SaveAs(folder + context.Request[\"name\"]);"
        miss8 = "<%@ WebHandler %> string folder = context.Request[\"folder\"]; string path = context.Server.MapPath(folder); string name = context.Request.Files[0].FileName; file.SaveAs(path + \"\\\\\" + name);"
        miss9 = "<%@ WebHandler %> using (var s = new FileStream(context.Server.MapPath(context.Request[\"f\"]), FileMode.Open, FileAccess.Read)) { }"
        miss10 = "<%@ WebHandler %> new WebClient().DownloadFile(context.Request[\"url\"], savePath);"
        miss6 = "<%@ WebService Class=\"S\" %> [WebMethod] public void Put(string name, string what) { File.WriteAllText(Path.Combine(folder, Path.GetFileName(name)), what); }"
        miss7 = "<%@ Page %><% var f = new FileInfo(Server.MapPath(\"~/notes.txt\")); f.CreateText().Write(Note.Text); %><asp:TextBox id=\"Note\" runat=\"server\" />"
        miss5 = "<%@ Page %><% string name = Request[\"name\"]; using (var s = new FileStream(Path.Combine(folder, name), FileMode.Append)) { } %>"
    strings:
        $save = /Request\.Files\s{0,8}\[?[^;]{0,80}\.SaveAs\s{0,8}\(/ nocase ascii wide
        $into_folder = /\bMapPath\s{0,4}\(\s{0,4}@?"[~.]{0,2}[\\\/]{0,2}\w{1,30}[\\\/]/ nocase ascii wide
        $opens = /\b(SaveAs|SaveToFile|WriteAllText|WriteAllBytes|WriteAllLines|AppendAllText|StreamWriter|FileStream\.Write|CreateText|AppendText|OpenWrite|CreateTextFile)\s{0,8}\(?\s{0,8}((\w{1,20}\.){0,3}MapPath\s{0,4}\(\s{0,4})?(\w{1,20}\.){0,4}Request\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies)\b)/ nocase ascii wide
        $appends = /\bOpenTextFile\s{0,8}\(\s{0,8}((\w{1,20}\.){0,3}MapPath\s{0,4}\(\s{0,4})?Request\s{0,4}(\(|\.(Form|QueryString|Item)\b)[^,\r\n]{0,60},\s{0,4}[28]\b/ nocase ascii wide
        $fetches = /\bDownloadFile\((Request\b|Field\[)/ nocase
        $streams = /\bFileStream\s{0,8}\(\s{0,8}((\w{1,20}\.){0,3}MapPath\s{0,4}\(\s{0,4})?(\w{1,20}\.){0,4}Request\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies)\b)[^;\r\n]{0,120}(FileMode\.(Create|Append|Truncate)|OpenOrCreate|FileAccess\.Write)/ nocase ascii wide
        $downloads = /\bDownloadFile\s{0,8}\([^,;\r\n]{1,80},\s{0,8}((\w{1,20}\.){0,3}MapPath\s{0,4}\(\s{0,4})?(\w{1,20}\.){0,4}Request\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies)\b)/ nocase ascii wide
        $field = /\b(SaveAs|WriteAllText|WriteAllBytes)\s{0,8}\(\s{0,8}((\w{1,20}\.){0,3}MapPath\s{0,4}\(\s{0,4})?\w{1,64}\.(Text|Value)\b/ ascii wide
        $typed = /\b(SaveAs|SaveToFile|WriteAllText|WriteAllBytes|WriteAllLines|AppendAllText|StreamWriter|FileStream\.Write|CreateText|AppendText|OpenWrite|CreateTextFile)\(Field\[/ nocase
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
        $razor = /@(\{|using\s|functions\b|inherits\b)/ ascii wide
    condition:
        any of ($tag, $runat, $razor) and
        ((filesize < 1KB and $save and not $into_folder) or (filesize < 1MB and any of ($opens, $appends, $downloads, $fetches, $streams, $field, $typed)))
}

rule WS_03_page_that_creates_a_page
{
    meta:
        id = "WS-03"
        title = "Page that creates another page under a fixed name, or overwrites itself"
        description = "Server-side code that opens a file for writing whose whole name stands in the code and is that of a page, or its own, or that of a program which it starts: a dropper, whatever it writes. Honest applications write settings, logs and pictures."
        level = "high"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1105"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        author = "extriage"
        hit1 = "<%@ W\x65bHandler Class=\"H\" %> /* File.CreateT\x65xt(context.Server.MapPath(\"root.aspx\")) */ File.CreateT\x65xt(context.Server.MapPath(\"a.\x61spx\"))"
        hit2 = "<%-- s.SaveToFil\x65 \"D:\\site\\t.\x61sp\", 2 --%>"
        hit3 = "<%-- set f = fso.CreateT\x65xtFile(Server.MapPath(\"up.\x61sp\")) --%>"
        hit4 = "<%-- set f = fso.CreateT\x65xtFile(Server.MapPath(Request.ServerVariables(\"SCR\x49PT_NAME\")), True) --%>"
        hit5 = "<%-- set f = fso.CreateT\x65xtFile(\"c:\\n.v\x62s\", True): CreateObject(\"WScript.Sh\x65ll\").R\x75n \"c:\\n.v\x62s\" --%>"
        hit6 = "<form method=post><textarea name=z>var f=new System.IO.StreamWrit\x65r(Server.MapPath(\"a.\x61spx\"));</textarea>"
        miss6 = "<% Set f = fso.CreateTextFile(\"c:\\jobs\\nightly.cmd\", True) %>"
        miss7 = "<form method=post><textarea name=z>StreamWriter(Server.MapPath(\"a.txt\"))</textarea>"
        miss5 = "<% Set f = fso.OpenTextFile(Server.MapPath(Request.ServerVariables(\"SCRIPT_NAME\"))) : Response.Write f.ReadAll %>"
        miss1 = "<%@ Page %><% File.WriteAllText(Server.MapPath(\"~/app_offline.htm\"), text); %>"
        miss2 = "<%@ Page %><% File.WriteAllText(path + \"Default.aspx\", template); %>"
        miss4 = "<% Set f = fso.CreateTextFile(Server.MapPath(\"../inc/config.asp\"), True) %>"
        miss3 = "<%@ Page %><% var p = File.ReadAllText(Server.MapPath(\"a.aspx\")); Response.Redirect(\"b.aspx\"); %>"
    strings:
        $create = /\b(CreateText|CreateTextFile|WriteAllText|WriteAllBytes|WriteAllLines|AppendAllText|StreamWriter|SaveToFile|SaveAs|OpenWrite)\s{0,4}\(?\s{0,4}((\w{1,20}\.){0,4}MapPath\s{0,4}\(\s{0,4})?@?"[^"\r\n]{0,120}\.(aspx?|ashx|asmx|asax|asa|cer|cdx|cshtml|soap|php|jspx?)"/ nocase ascii wide
        $itself = /\b(CreateTextFile|SaveToFile|WriteAllText|StreamWriter|OpenWrite)\s{0,4}\(?\s{0,4}(\w{1,20}\.){0,4}(MapPath\s{0,4}\(\s{0,4})?(\w{1,20}\.){0,4}Request\.(ServerVariables\s{0,8}[(\[]\s{0,4}"(SCRIPT_NAME|PATH_INFO|PATH_TRANSLATED|URL)"|PhysicalPath\b|FilePath\b)/ nocase ascii wide
        $script = /\b(CreateTextFile|SaveToFile|WriteAllText|WriteAllBytes|StreamWriter)\s{0,4}\(?\s{0,4}@?"\w:\\[^"\r\n]{0,120}\.(vbs|vbe|wsf|bat|cmd|ps1|exe|com|scr)"/ nocase ascii wide
        $started = /\.\s{0,4}(Run|Exec|ShellExecute|Start)\s{0,4}\(?\s{0,4}@?"[^"\r\n]{0,160}\.(vbs|vbe|wsf|bat|cmd|ps1|exe|com|scr)"/ nocase ascii wide
        $client = /<textarea[^>]{0,120}>[^<]{0,80}\b(CreateText|CreateTextFile|WriteAllText|StreamWriter|SaveToFile)\s{0,4}\(?\s{0,4}((\w{1,20}\.){0,4}MapPath\s{0,4}\(\s{0,4})?@?"[^"\r\n]{0,120}\.(aspx?|ashx|asmx|cshtml|php|jspx?)"/ nocase
        $settings = /\b(CreateText|CreateTextFile|WriteAllText|WriteAllBytes|WriteAllLines|AppendAllText|StreamWriter|SaveToFile|SaveAs|OpenWrite)\s{0,4}\(?\s{0,4}((\w{1,20}\.){0,4}MapPath\s{0,4}\(\s{0,4})?@?"[^"\r\n:]{0,80}(config|setting|const|conn|define|cache|lang)\w{0,12}\.(aspx?|asax|asa|cshtml)"/ nocase ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 512KB and
        ((any of ($tag, $runat) and ($itself or ($create and #create > #settings) or ($script and $started))) or (filesize < 16KB and $client))
}

rule WS_03_upload_beside_itself
{
    meta:
        id = "WS-03"
        title = "Page that asks where it lies and stores any upload there"
        description = "A small page without code behind that takes its own path, keeps uploaded files in that folder under the names the client gave, and looks at no file type: what is uploaded can be a page and runs."
        level = "high"
        confidence = "medium"
        tags = "attack.persistence,attack.t1505.003,attack.t1105"
        reference = "https://attack.mitre.org/techniques/T1105/"
        author = "extriage"
        hit1 = "<%@ Page Language=\"C#\" %><%-- var here = new FileInfo(Request.Physic\x61lPath); new FileStre\x61m(Path.Combine(here.DirectoryName, f.FileN\x61me), FileMode.Create); --%>"
        hit2 = "<%@ Page Language=\"C#\" %><%-- var here = Path.GetDirectoryName(Request.Physic\x61lPath); f.Save\x41s(Path.Combine(here, f.FileN\x61me)); --%>"
        miss1 = "<%@ Page %><% var here = Request.PhysicalPath; f.SaveAs(Server.MapPath(\"~/uploads/\") + f.FileName); %>"
        miss2 = "<%@ Page %><% var here = Request.PhysicalPath; if (Path.GetExtension(f.FileName) == \".jpg\") f.SaveAs(Path.Combine(here, f.FileName)); %>"
    strings:
        $own_path = /\b(PhysicalPath|PATH_TRANSLATED)\b/
        $combined = /\b(SaveAs|FileStream|WriteAllBytes)\s{0,4}\(\s{0,4}(System\.IO\.)?Path\.Combine\s{0,4}\([^;\r\n]{0,80}FileName\b/ nocase
        $check = /GetExtension|ContentType\b|MimeType|\.(jpe?g|gif|png|pdf|docx?|xlsx?|csv|zip|txt|bmp|svg)\b|EndsWith/ nocase
        $behind = /\b(CodeFile|CodeBehind|Inherits|MasterPageFile)\s{0,4}=/ nocase
        $directive = /<%@\s{0,8}(page|webhandler)\b/ nocase
    condition:
        filesize < 6KB and $directive and not $behind and not $check and $own_path and $combined
}

rule WS_03_upload_to_root
{
    meta:
        id = "WS-03"
        title = "Page that stores any upload in its own folder"
        description = "A small page without code behind that keeps uploaded files beside itself under the names the client gave, and looks at no file type. Lessons and careless pages do so, too."
        level = "medium"
        confidence = "low"
        tags = "attack.persistence,attack.t1505.003,attack.t1105"
        reference = "https://attack.mitre.org/techniques/T1105/"
        author = "extriage"
        hit1 = "<%@ Page Language=\"C#\" %><%-- f.Save\x41s(Server.M\x61pPath(\".\") + \"\\\\\" + f.FileN\x61me); --%>"
        hit2 = "<%@ Page Language=\"VB\" %><%-- u.Save\x41s(Server.M\x61pPath(u.FileN\x61me)) --%>"
        miss1 = "<%@ Page %><% f.SaveAs(Server.MapPath(\"~/uploads/\") + f.FileName); %>"
        miss2 = "<%@ Page %><% if (Path.GetExtension(f.FileName) == \".jpg\") f.SaveAs(Server.MapPath(\".\") + \"\\\\\" + f.FileName); %>"
        miss3 = "<%@ Page CodeFile=\"a.aspx.cs\" Inherits=\"A\" %><% f.SaveAs(Server.MapPath(f.FileName)); %>"
    strings:
        $beside = /\bMapPath\s{0,4}\(\s{0,4}"(\.|\.\/|\\|\/|~\/)?"\s{0,4}\)\s{0,4}[+&]\s{0,4}(@?"[\\\/]{1,2}"\s{0,4}[+&]\s{0,4})?(\w{1,30}[.(]){0,6}FileName\b/ nocase
        $mapped = /\bSaveAs\s{0,4}\(\s{0,4}(\w{1,20}\.){0,3}MapPath\s{0,4}\(\s{0,4}("\.?\/?"\s{0,4}[+&]\s{0,4})?(\w{1,30}[.(]){1,6}FileName\b/ nocase
        $save = /\b(SaveAs|FileStream|WriteAllBytes)\s{0,4}\(/ nocase
        $check = /GetExtension|ContentType\b|MimeType|\.(jpe?g|gif|png|pdf|docx?|xlsx?|csv|zip|txt|bmp|svg)\b|EndsWith/ nocase
        $behind = /\b(CodeFile|CodeBehind|Inherits|MasterPageFile)\s{0,4}=/ nocase
        $directive = /<%@\s{0,8}(page|webhandler)\b/ nocase
    condition:
        filesize < 6KB and $directive and not $behind and not $check and $save and any of ($beside, $mapped)
}

rule WS_03_upload_to_any_folder
{
    meta:
        id = "WS-03"
        title = "Upload page that asks for a folder of the disk"
        description = "Classic ASP that reads an upload byte by byte and writes it, with a form in which the client fills in a folder from a drive's root on."
        level = "high"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1105"
        reference = "https://attack.mitre.org/techniques/T1105/"
        author = "extriage"
        hit1 = "<%-- b = requ\x65st.BinaryR\x65ad(n) : set f = o.CreateT\x65xtFile(p & n) --%><input type=\"text\" name=\"path\" value=\"C:\\\">"
        hit2 = "<%-- b = requ\x65st.BinaryR\x65ad(n) : s.SaveToFil\x65 p --%><input name=to value=d:\\www\\>"
        miss1 = "<% b = Request.BinaryRead(n) : s.SaveToFile Server.MapPath(\"/up/\") & n %><input type=\"text\" name=\"title\" value=\"\">"
        miss2 = "<% Set f = o.CreateTextFile(p) %><input type=\"text\" name=\"path\" value=\"C:\\\">"
    strings:
        $read = /\brequest\.BinaryRead\b/ nocase
        $write = /\.(CreateTextFile|SaveToFile|OpenTextFile)\b/ nocase
        $folder = /<input\s[^>]{0,100}value\s{0,4}=\s{0,4}"{0,2}'?[a-z]:\\/ nocase
        $tag = /<%[@=#:\-\s\w"(<']/
    condition:
        filesize < 64KB and all of them
}

rule WS_03_page_that_reads_files
{
    meta:
        id = "WS-03"
        title = "Page that hands out any file that the client names"
        description = "A path that is the client's alone, without a folder of the page's own, is opened for reading or sent. Careless downloads do so, too."
        level = "medium"
        confidence = "medium"
        tags = "attack.persistence,attack.t1505.003,attack.t1005"
        reference = "https://attack.mitre.org/techniques/T1005/"
        author = "extriage"
        hit1 = "<%-- Response.WriteF\x69le(Requ\x65st[\"f\"]); --%>"
        hit2 = "<%-- new StreamReader(Requ\x65st.QueryString[\"f\"]).ReadToEnd() --%>"
        miss1 = "<%@ Page %><% Response.TransmitFile(Server.MapPath(\"~/files/\") + Request[\"f\"]); %>"
        miss2 = "<%@ Page %><% new StreamReader(Request.InputStream).ReadToEnd(); %>"
    strings:
        $read = /\b(WriteFile|TransmitFile|ReadAllText|ReadAllBytes|ReadAllLines|StreamReader|LoadFromFile)\s{0,8}\(\s{0,8}(\w{1,20}\.){0,4}Request\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies)\b)/ nocase ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $razor = /@(\{|using\s|functions\b|inherits\b)/ ascii wide
    condition:
        filesize < 512KB and any of ($tag, $razor) and $read
}

rule WS_03_page_that_writes_pages
{
    meta:
        id = "WS-03"
        title = "Page that writes another page with script in it"
        description = "Server-side code that holds the text of a page which evaluates or starts what the client sends, and a call that writes files."
        level = "critical"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1105"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        author = "extriage"
        hit1 = "<%@ W\x65bHandler Language=\"C#\" %><%-- var f = File.CreateT\x65xt(p); f.Write(\"<% ex\x65cute requ\x65st(1) %>\"); --%>"
        hit2 = "<%-- File.WriteAllT\x65xt(\"x.aspx\", \"<%@ Pa\x67e Language='JScript' %> ev\x61l(Requ\x65st[0])\"); --%>"
        miss1 = "<%@ Page %><% File.WriteAllText(path, \"<%@ Page Title='x' %>\"); %>"
        miss2 = "<%@ Page %><% Response.Write(\"<% eval %>\"); %>"
    strings:
        $page = /["'][^"'\r\n]{0,60}<%[^\r\n]{0,200}(eval|execute|executeglobal|process|wscript)\b[^\r\n]{0,120}request/ nocase ascii wide
        $write = /(CreateText|WriteAllText|WriteAllBytes|CreateTextFile|SaveToFile|StreamWriter|AppendAllText)\b/ nocase ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
    condition:
        filesize < 512KB and all of them
}

rule WS_05_file_manager
{
    meta:
        id = "WS-05"
        title = "Page that manages the server's disks for the client"
        description = "Server-side code that lists the drives of the server and its folders and deletes, moves, writes or re-dates files as the request says."
        level = "high"
        confidence = "high"
        tags = "attack.persistence,attack.t1505.003,attack.t1083"
        reference = "https://attack.mitre.org/software/S0073/"
        author = "extriage"
        hit1 = "<%@ Page %><%-- Directory.GetL\x6fgicalDrives(); d.GetFil\x65s(); File.Del\x65te(p); f.Save\x41s(p); Requ\x65st[\"a\"] --%>"
        hit2 = "<%-- for each d in fso.Dr\x69ves: fso.GetF\x6flder(p): fso.DeleteF\x69le p: fso.MoveFil\x65 p, q: requ\x65st(\"a\") --%>"
        hit3 = "<%@ Page %><%-- d.GetFil\x65s(); File.SetLastWr\x69teTime(p, t); File.SetCre\x61tionTime(p, t); File.Del\x65te(p); Requ\x65st[\"a\"] --%>"
        hit4 = "<%@ Page %><%-- Environment.GetL\x6fgicalDrives(); d.GetDirect\x6fries(); Response.WriteF\x69le(p); Requ\x65st[\"a\"] --%>"
        hit5 = "<%-- walk \"C:\\Program F\x69les\" : for each s in fso.GetF\x6flder(p).SubFold\x65rs : fso.CreateT\x65xtFile(p & t) : fso.DeleteF\x69le(p & t) : requ\x65st(\"a\") --%>"
        hit6 = "<%-- Pack requ\x65st(\"p\") : Sub Pack(where) : set f = fso.GetF\x6flder(where) : for each s in f.SubFold\x65rs : x.SaveToFil\x65 p : fso.DeleteF\x69le q : End Sub --%>"
        hit7 = "<%@ Page %><%-- k = Regis\x74ry.LocalMachine; k.GetSubKeyN\x61mes(); File.Cre\x61te(d + t); File.Del\x65te(d + t); --%>"
        miss4 = "<% d = Server.MapPath(\"/files/\") & Request(\"d\") : Set f = fso.GetFolder(d) : For Each s In f.SubFolders : Next : fso.DeleteFile d & \"/a\" : x.SaveToFile d & \"/b\" %>"
        miss5 = "<% Set f = fso.GetFolder(Server.MapPath(Request(\"d\"))) : For Each s In f.SubFolders : Next : fso.DeleteFile p : fso.CreateFolder q %>"
        miss3 = "<%@ Page %><% foreach (DriveInfo d in DriveInfo.GetDrives()) { Response.Write(d.AvailableFreeSpace); } var x = Request[\"a\"]; Response.Write(new DirectoryInfo(p).GetFiles().Length); %>"
        miss1 = "<%@ Page %><% foreach (var f in Directory.GetFiles(Server.MapPath(\"~/img\"))) { } if (Request[\"del\"] != null) File.Delete(p); f.SaveAs(p); %>"
        miss2 = "<% Set fso = Server.CreateObject(\"Scripting.FileSystemObject\") : For Each d In fso.Drives : Response.Write d.FreeSpace : Next : x = Request(\"a\") %>"
    strings:
        $drives = /\b(GetLogicalDrives|DriveInfo\.GetDrives|DriveInfo\s{0,4}\[\s{0,4}\])/ nocase ascii wide
        $drives_script = /\.(Drives\b|GetDrive\s{0,4}\()/ nocase ascii wide
        $times1 = /\bSetLastWriteTime(Utc)?\s{0,4}\(/ nocase ascii wide
        $times2 = /\bSetCreationTime(Utc)?\s{0,4}\(/ nocase ascii wide
        $list = /\.(GetFiles|GetDirectories|GetFileSystemInfos|GetFileSystemEntries|GetFolder|SubFolders|EnumerateFiles)\b/ nocase ascii wide
        $act1 = /\b(File|Directory)\.Delete\s{0,4}\(|\.Delete(File|Folder)\b/ nocase ascii wide
        $act2 = /\b(File|Directory)\.Move\s{0,4}\(|\.Move(File|Folder|To)\b/ nocase ascii wide
        $act3 = /\bFile\.Copy\s{0,4}\(|\.Copy(File|Folder)\b/ nocase ascii wide
        $act4 = /\.SaveAs\s{0,4}\(|\.SaveToFile\b/ nocase ascii wide
        $act5 = /\b(WriteAllText|WriteAllBytes|StreamWriter|CreateTextFile|OpenTextFile|CreateText)\b/ nocase ascii wide
        $act6 = /\bFile\.SetAttributes\b|\.Attributes\s{0,4}=/ nocase ascii wide
        $act7 = /\b(Directory\.CreateDirectory|CreateFolder)\b/ nocase ascii wide
        $act8 = /\b(RegRead|OpenSubKey|xp_cmdshell|Win32_)/ nocase ascii wide
        $system = /["'][a-z]:\\{1,2}(windows|winnt|program files|documents and settings|users|recycler)\b/ nocase ascii wide
        $walks = /\b(GetFolder|DirectoryInfo|GetFiles|GetDirectories|GetFileSystemEntries)\((Request\b|Field\[)/ nocase
        $registry = /\bRegistry\s{0,4}\.\s{0,4}(LocalMachine|Users|ClassesRoot)\b/ nocase ascii wide
        $keys = "GetSubKeyNames" nocase ascii wide
        $tries = /\bFile\.Create\s{0,4}\(/ nocase ascii wide
        $sends = /\b(WriteFile|TransmitFile|LoadFromFile)\s{0,4}[(\s]/ nocase ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies|InputStream|BinaryRead)\b)/ nocase ascii wide
        $field = /\.(Text|Value|CommandArgument)\b/ ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
        $razor = /@(\{|using\s|functions\b|inherits\b)/ ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat, $razor) and
        (($registry and $keys and $tries and $act1) or
         (any of ($request, $field) and $list and
        ((any of ($drives, $drives_script) and (2 of ($act*) or $sends)) or ($times1 and $times2 and 1 of ($act*)) or
         (any of ($system, $walks) and 2 of ($act*)) or ($walks and any of ($act*, $sends)))))
}

rule WS_05_database_console
{
    meta:
        id = "WS-05"
        title = "Page that opens databases for the client"
        description = "The client chooses the connection and the statement, or the page runs programs through the database server."
        level = "high"
        confidence = "medium"
        tags = "attack.persistence,attack.t1505.003,attack.t1505.001"
        reference = "https://attack.mitre.org/techniques/T1505/001/"
        author = "extriage"
        hit1 = "<%@ Page %><%-- new SqlConnecti\x6fn(Requ\x65st[\"c\"]); new SqlComm\x61nd(Requ\x65st[\"q\"], c) --%>"
        hit2 = "<%-- s = requ\x65st(\"s\") : conn.execute(\"exec master..xp_cmdsh\x65ll '\" & s & \"'\") --%>"
        hit3 = "<%@ Page %><%-- string k = Requ\x65st[\"k\"]; c.ConnectionStr\x69ng = k; --%>"
        hit4 = "<%@ Page %><%-- c.ConnectionStr\x69ng = Server.Text; new SqlComm\x61nd(What.Text, c); --%><asp:TextBox id=\"Server\" runat=\"server\" /><asp:TextBox id=\"What\" runat=\"server\" />"
        hit5 = "<%-- conn.Op\x65n \"Provider=x;Data Source=\" & requ\x65st(\"s\") : set r = conn.Ex\x65cute(requ\x65st(\"q\")) --%>"
        hit6 = "<%@ Page %><%-- var c = new SqlConnecti\x6fn(\"server=\" + Server.Text); new SqlComm\x61nd(\"select * from \" + What.Text, c); --%><asp:TextBox id=\"Server\" runat=\"server\" /><asp:TextBox id=\"What\" runat=\"server\" />"
        miss7 = "<%@ Page %><% using (var c = new SqlConnection(Server.Text)) { c.Open(); new SqlCommand(script, c).ExecuteNonQuery(); } %><asp:TextBox id=\"Server\" runat=\"server\" />"
        miss6 = "<% bad = \"and|exec|insert|select|xp_cmdshell|declare\" : For Each w In Split(bad, \"|\") : If InStr(Request.QueryString(\"q\"), w) > 0 Then Response.End : Next %>"
        miss5 = "<%@ Page %><% var c = new SqlConnection(Settings.Main); new SqlCommand(\"select * from a where b='\" + What.Text + \"'\", c); %><asp:TextBox id=\"What\" runat=\"server\" />"
        miss3 = "<%@ Page %><% c.ConnectionString = \"Data Source=\" + Server.Text; new SqlCommand(\"select 1\", c); %><asp:TextBox id=\"Server\" runat=\"server\" />"
        miss4 = "<% conn.Open \"Provider=x\" : conn.Execute(\"select a from b where c=\" & CLng(Request(\"c\"))) %>"
        miss1 = "<%@ Page %><% var c = new SqlConnection(ConfigurationManager.ConnectionStrings[\"Main\"].ConnectionString); var id = Request[\"id\"]; %>"
        miss2 = "<% s = Request(\"s\") : conn.Execute \"exec dbo.Find '\" & Replace(s, \"'\", \"''\") & \"'\" %>"
    strings:
        $connection = /(SqlConnection|OleDbConnection|OdbcConnection|ConnectionString)\s{0,4}[(=]\s{0,4}(\w{1,20}\.){0,4}Request\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies)\b)/ nocase ascii wide
        $typed_connection = /\b(SqlConnection|OleDbConnection|OdbcConnection|MySqlConnection|ConnectionString)[(=](Field|Part)\[/ nocase
        $typed_statement = /\b(SqlCommand|OleDbCommand|OdbcCommand|MySqlCommand|SqlDataAdapter|OleDbDataAdapter|OdbcDataAdapter|MySqlDataAdapter|CommandText)[(=](Field\[|Part\[|Request\b)/ nocase
        $statement = /\.(Execute|Open)\s{0,4}\(?\s{0,4}Request\s{0,4}(\(|\.(Form|QueryString)\b)/ nocase ascii wide
        $provider = /"\s{0,4}(Provider|Driver|DSN)\s{0,4}=/ nocase ascii wide
        $program = /\bexec\w{0,3}\s{1,4}(master\s{0,2}\.\s{0,2}(dbo)?\s{0,2}\.\s{0,2}|dbo\s{0,2}\.\s{0,2})?(xp_cmdshell|sp_oacreate|xp_regwrite)\b/ nocase ascii wide
        $request = /\bRequest\s{0,4}(\[|\(|\.(Form|QueryString|Params|Item|Headers|Cookies)\b)/ nocase ascii wide
        $form = /\.(Text|Value)\b/ ascii wide
        $tag = /<%[@=#:\-\s\w"(<']/ ascii wide
        $runat = /runat\s{0,4}=\s{0,4}["']?server/ nocase ascii wide
    condition:
        filesize < 2MB and any of ($tag, $runat) and
        ($connection or ($program and any of ($request, $form)) or ($typed_connection and $typed_statement) or
         ($statement and $provider))
}
