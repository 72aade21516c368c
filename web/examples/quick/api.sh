api=${API_URL:-http://127.0.0.1:3000}

curl -sS "$api/api/login-with-otp/" --json '{"email": "ada@example.com"}'
read -r -p "The code in the inbox: " otp
answer=$(curl -sS "$api/api/validate-otp/" --json '{"email": "ada@example.com", "otp": "'"$otp"'"}')
token=$(sed 's/.*"token":"\([^"]*\)".*/\1/' <<<"$answer")
curl -sS "$api/api/me/" -H "Authorization: Bearer $token"
