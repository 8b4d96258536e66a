<%-- outside of every web root --%>
