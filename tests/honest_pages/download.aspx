<%@ Page Language="VB" %>
<%@ Import Namespace="System.IO" %>
<script runat="server">
    Protected Sub Page_Load(ByVal sender As Object, ByVal e As EventArgs)
        Dim name As String = Path.GetFileName(Request.QueryString("file"))
        Dim full As String = Server.MapPath("~/reports/" & name)
        If String.IsNullOrEmpty(name) OrElse Not File.Exists(full) Then
            Response.StatusCode = 404
            Response.End()
        End If
        Response.ContentType = "application/octet-stream"
        Response.AddHeader("Content-Disposition", "attachment; filename=""" & name.Replace("""", "") & """")
        Response.AddHeader("Content-Length", New FileInfo(full).Length.ToString())
        Response.TransmitFile(full)
        Response.End()
    End Sub
</script>
