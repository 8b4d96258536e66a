<%-- nothing runs here either --%>
