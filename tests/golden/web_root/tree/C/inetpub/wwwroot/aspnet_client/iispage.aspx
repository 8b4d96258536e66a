<%-- nothing runs here: a page where no page belongs --%>
