of a vendor
