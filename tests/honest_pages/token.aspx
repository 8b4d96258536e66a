<%@ Page Language="C#" %>
<%@ Import Namespace="System.Security.Cryptography" %>
<script runat="server">
    // A link that was mailed holds what it is for and a signature, in Base64 without its padding.
    protected void Page_Load(object sender, EventArgs e)
    {
        string given = Request.QueryString["t"];
        if (string.IsNullOrEmpty(given) || given.Length > 400)
        {
            Told.Text = "This link is not complete.";
            return;
        }
        byte[] all = HttpServerUtility.UrlTokenDecode(given);
        byte[] key = Convert.FromBase64String(ConfigurationManager.AppSettings["linkKey"]);
        using (HMACSHA256 hmac = new HMACSHA256(key))
        {
            byte[] wanted = hmac.ComputeHash(all, 32, all.Length - 32);
            int different = 0;
            for (int i = 0; i < 32; i++)
                different |= wanted[i] ^ all[i];
            Told.Text = different == 0 ? "Your address is confirmed." : "This link is not valid.";
        }
    }
</script>
<asp:Literal ID="Told" runat="server" Mode="Encode" />
