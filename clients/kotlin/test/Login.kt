import loginwithotp.Client

/** Logs in with what a person types, and returns what an API takes. */
fun logIn(client: Client, email: String, typed: () -> String): String? {
    val challenge = client.requestCode(email = email)
    client.validate(challenge, typed())
    return client.token()
}
