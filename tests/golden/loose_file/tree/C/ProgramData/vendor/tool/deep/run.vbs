WScript.Echo "a tool"
