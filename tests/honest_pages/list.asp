<%@ Language=VBScript %>
<% Option Explicit
Response.Buffer = True
Response.Expires = -1
Dim conn, cmd, rs, page
page = 1
If IsNumeric(Request.QueryString("page")) Then page = CLng(Request.QueryString("page"))
Set conn = Server.CreateObject("ADODB.Connection")
conn.Open Application("dsn")
Set cmd = Server.CreateObject("ADODB.Command")
cmd.ActiveConnection = conn
cmd.CommandText = "SELECT title, price FROM article WHERE stock > ? ORDER BY title"
cmd.Parameters.Append cmd.CreateParameter("stock", 3, 1, 4, 0)
Set rs = cmd.Execute
%>
<html>
<head><title>Articles</title></head>
<body>
<!--#include virtual="/inc/menu.asp"-->
<table>
<% Do While Not rs.EOF %>
<tr><td><%= Server.HTMLEncode(rs("title")) %></td><td align="right"><%= FormatNumber(rs("price"), 2) %></td></tr>
<%
    rs.MoveNext
Loop
rs.Close
conn.Close
Set rs = Nothing
%>
</table>
<a href="list.asp?page=<%= page + 1 %>">Next</a>
</body>
</html>
