<%@ Page Language="C#" Title="Hand in a document" %>
<%@ Import Namespace="System.IO" %>
<%@ Import Namespace="System.Linq" %>
<script runat="server">
    private static readonly string[] allowed = { ".pdf", ".docx", ".png", ".jpg" };

    protected void Send_Click(object sender, EventArgs e)
    {
        if (!Document.HasFile || Document.PostedFile.ContentLength > 8 * 1024 * 1024)
        {
            Told.Text = "Please choose a file of at most 8 MB.";
            return;
        }
        string ending = Path.GetExtension(Document.FileName).ToLowerInvariant();
        if (!allowed.Contains(ending))
        {
            Told.Text = "Such files are not taken.";
            return;
        }
        string folder = Path.Combine(Server.MapPath("~/App_Data"), "inbox");
        Directory.CreateDirectory(folder);
        Document.SaveAs(Path.Combine(folder, Guid.NewGuid().ToString("N") + ending));
        Told.Text = "Thank you. It was received at " + DateTime.Now.ToShortTimeString() + ".";
    }
</script>
<form runat="server" enctype="multipart/form-data">
    <asp:FileUpload ID="Document" runat="server" />
    <asp:Button ID="Send" runat="server" Text="Send" OnClick="Send_Click" />
    <asp:Label ID="Told" runat="server" />
</form>
