<%@ Control Language="C#" ClassName="Grid" %>
<script runat="server">
    public string Query { get; set; }

    protected override void OnPreRender(EventArgs e)
    {
        Rows.DataSource = ((DataView)Cache[Query ?? "all"]) ?? new DataView();
        Rows.DataBind();
    }
</script>
<asp:Repeater ID="Rows" runat="server">
    <HeaderTemplate><table class="grid"></HeaderTemplate>
    <ItemTemplate>
        <tr class='<%# Container.ItemIndex % 2 == 0 ? "even" : "odd" %>'>
            <td><%# Eval("Name") %></td>
            <td><%# DataBinder.Eval(Container.DataItem, "Changed", "{0:d}") %></td>
            <td><a href='<%# "edit.aspx?id=" + HttpUtility.UrlEncode(Eval("Id").ToString()) %>'>Edit</a></td>
        </tr>
    </ItemTemplate>
    <FooterTemplate></table></FooterTemplate>
</asp:Repeater>
