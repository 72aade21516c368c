// A login from an app for Android, and the code of a text message. Not run here; docs/app.md explains it.

// build.gradle.kts: com.google.android.gms:play-services-auth-api-phone, com.squareup.okhttp3:okhttp
fun login(number: String, key: String): JSONObject {
    val body = JSONObject(mapOf("phone_number" to number)).toString()
    val request = Request.Builder().url("$api/api/login-with-otp/")
        .header("Idempotency-Key", key)
        .header("Accept-Language", Locale.getDefault().toLanguageTag())
        .post(body.toRequestBody("application/json".toMediaType()))
        .build()
    http.newCall(request).execute().use { answer ->
        val json = JSONObject(answer.body!!.string())
        if (!answer.isSuccessful) throw ProblemException(json.getString("type"), json.optInt("retry_after"))
        return json
    }
}

// Before the request: Android then offers the next text message to the app.
SmsRetriever.getClient(activity).startSmsUserConsent(null)

// In the receiver of SmsRetriever.SMS_RETRIEVED_ACTION, after the person agreed:
val code = Regex("\\d{$codeLength}").find(message)?.value
