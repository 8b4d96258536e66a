Write-Host "hello"
