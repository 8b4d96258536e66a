<%-- a page --%>
