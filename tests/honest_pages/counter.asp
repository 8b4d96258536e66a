<%
' Counts visits in a text file, as pages did for twenty years.
Const ForReading = 1, ForWriting = 2
Dim fso, file, path, count
path = Server.MapPath("/data/counter.txt")
Set fso = Server.CreateObject("Scripting.FileSystemObject")
Application.Lock
count = 0
If fso.FileExists(path) Then
    Set file = fso.OpenTextFile(path, ForReading)
    If Not file.AtEndOfStream Then count = CLng(file.ReadLine)
    file.Close
End If
If Session("counted") = "" Then
    count = count + 1
    Set file = fso.OpenTextFile(path, ForWriting, True)
    file.WriteLine count
    file.Close
    Session("counted") = "yes"
End If
Application.UnLock
For Each digit In Split(StrReverse(StrReverse(CStr(count))), "")
    Response.Write "<img src=""/img/" & digit & ".gif"" alt=""" & digit & """>"
Next
%>
