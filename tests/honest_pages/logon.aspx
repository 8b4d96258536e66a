<%@ Page Language="C#" AutoEventWireup="true" EnableViewState="true" MasterPageFile="~/Site.master" %>
<%@ Register TagPrefix="site" TagName="Notice" Src="~/Controls/Notice.ascx" %>
<script runat="server">
    protected void Page_Load(object sender, EventArgs e)
    {
        if (Request.IsAuthenticated)
            Response.Redirect(FormsAuthentication.GetRedirectUrl(User.Identity.Name, false));
        ReturnUrl.Value = Request.QueryString["ReturnUrl"] ?? "/";
    }

    protected void SignIn_Click(object sender, EventArgs e)
    {
        if (!IsValid)
            return;
        if (Membership.ValidateUser(UserName.Text.Trim(), Password.Text))
            FormsAuthentication.RedirectFromLoginPage(UserName.Text, Remember.Checked);
        else
            Problem.Text = "The user name or the password is not right.";
    }
</script>
<asp:Content ContentPlaceHolderID="Main" runat="server">
    <site:Notice runat="server" Text="The service is down for maintenance on Sunday." />
    <form id="logon" runat="server" autocomplete="off">
        <asp:HiddenField ID="ReturnUrl" runat="server" />
        <asp:Label AssociatedControlID="UserName" runat="server" Text="User name" />
        <asp:TextBox ID="UserName" runat="server" MaxLength="256" />
        <asp:RequiredFieldValidator ControlToValidate="UserName" runat="server" ErrorMessage="Please enter a name." />
        <asp:TextBox ID="Password" runat="server" TextMode="Password" />
        <asp:CheckBox ID="Remember" runat="server" Text="Stay signed in" />
        <asp:Button runat="server" Text="Sign in" OnClick="SignIn_Click" />
        <asp:Literal ID="Problem" runat="server" Mode="Encode" />
    </form>
</asp:Content>
