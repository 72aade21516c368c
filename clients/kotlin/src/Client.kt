package loginwithotp

import java.io.IOException
import java.security.SecureRandom

/** A code that was sent. */
class Challenge(val id: String, internal val destination: Map<String, String>, val codeLength: Int, val expiresIn: Int, val resendIn: Int)

/** Who is logged in. */
data class Session(val userId: String, val newUser: Boolean)

/** An answer that is an error (RFC 9457), or no answer: then [type] is `network`. */
class Problem(val status: Int, body: Map<String, Any?> = emptyMap(), cause: Exception? = null) :
    Exception(body["detail"] as? String ?: "No valid answer ($status)", cause) {
    val type = body["type"] as? String ?: if (status == 0) "network" else "about:blank"
    val retryAfter = (body["retry_after"] as? Number)?.toInt()

    /** Whether the request may have taken effect although there was no proper answer. */
    val lost = status == 0 || (status > 499 && type != "/problems/delivery-failed")
}

/**
 * Logs in by a one-time code, and keeps the tokens fresh. Its methods block, and one at a time runs:
 * call them from a thread that may wait, such as `withContext(Dispatchers.IO)` on Android.
 */
class Client(
    api: String,
    private val store: Store = MemoryStore(),
    private val locale: String? = null,
    private val transport: Transport = HttpTransport(),
    private val waits: List<Long> = listOf(1000, 3000),
) {
    private val api = api.trimEnd('/')
    private val keys = mutableMapOf<String, String>()

    val session: Session?
        @Synchronized get() = state().session()?.let { Session(it["user_id"] as String, it["new_user"] as Boolean) }

    /** Sends a code; with the id of a live challenge, the same one again. */
    @Synchronized
    fun requestCode(email: String? = null, phoneNumber: String? = null, challengeId: String? = null): Challenge {
        require((email == null) != (phoneNumber == null)) { "give either email or phoneNumber" }
        val destination = if (email != null) mapOf("email" to email) else mapOf("phone_number" to phoneNumber!!)
        val device = state().devices()[name(destination)]
        val sent = once("/api/login-with-otp/", destination + given("challenge_id" to challengeId, "device_token" to device))
        fun number(member: String) = (sent[member] as Number).toInt()
        return Challenge(sent["challenge_id"] as String, destination, number("code_length"), number("expires_in"), number("resend_in"))
    }

    /** Exchanges a code for a session. */
    @Synchronized
    fun validate(challenge: Challenge, otp: String, device: String? = null): Session {
        val body = challenge.destination + mapOf("otp" to otp, "challenge_id" to challenge.id) + given("device" to device)
        val answer = once("/api/validate-otp/", body)
        val known = state().devices() + given(name(challenge.destination) to answer["device_token"] as String?)
        val session = mapOf("user_id" to answer["user_id"], "new_user" to answer["new_user"]) + tokens(answer)
        save(session, known)
        return Session(answer["user_id"] as String, answer["new_user"] as Boolean)
    }

    /** An access token, renewed if it is about to expire; null if nobody is logged in. */
    @Synchronized
    fun token(): String? {
        val session = state().session() ?: return null
        val now = System.currentTimeMillis()
        val isFresh = now in (session["got"] as Long) until (session["renew_at"] as Long)
        return if (isFresh) session["token"] as String else renew(session)
    }

    /** Renews the tokens now, or only if the token is still [stale]: the one that an API refused. */
    @Synchronized
    fun refresh(stale: String? = null): String? {
        val session = state().session() ?: return null
        val token = session["token"] as String
        return if (stale == null || stale == token) renew(session) else token
    }

    /** Ends the session here, then on the server; [forget]: this device is known no longer. */
    @Synchronized
    fun logout(all: Boolean = false, forget: Boolean = false) {
        val before = state()
        save(null, if (forget) emptyMap() else before.devices())
        val session = before.session() ?: return
        val body = mapOf("refresh_token" to session["refresh_token"], "all" to all)
        post("/api/logout/", if (forget) body + ("forget" to true) else body, emptyMap())
    }

    private fun renew(session: Map<String, Any?>): String? {
        val refresh = session["refresh_token"]
        val answer = try {
            post("/api/token/refresh/", mapOf("refresh_token" to refresh), emptyMap())
        } catch (problem: Problem) {
            // Another process with the same store may have been faster.
            val now = state().session()
            if (now != null && now["refresh_token"] != refresh) return now["token"] as String
            if (problem.type != "/problems/invalid-refresh-token") throw problem
            save(null, state().devices())
            return null
        }
        save(session + tokens(answer), state().devices())
        return answer["token"] as String
    }

    /** Until there is an answer, the same body goes under the same key: the service does it once. */
    private fun once(path: String, body: Map<String, Any?>): Map<String, Any?> {
        val intent = path + Json.write(body)
        val key = keys.getOrPut(intent) { random() }
        return try {
            post(path, body, mapOf("Idempotency-Key" to key)).also { keys.remove(intent) }
        } catch (problem: Problem) {
            if (!problem.lost) keys.remove(intent)
            throw problem
        }
    }

    /** Three tries, if answers get lost. */
    private fun post(path: String, body: Map<String, Any?>, headers: Map<String, String>): Map<String, Any?> {
        for (wait in waits + null) {
            try {
                return send(path, body, headers + given("Accept-Language" to locale))
            } catch (problem: Problem) {
                if (!problem.lost || wait == null) throw problem
                Thread.sleep(minOf(problem.retryAfter?.times(1000L) ?: wait, 5000))
            }
        }
        error("the last try returns or throws")
    }

    private fun send(path: String, body: Map<String, Any?>, headers: Map<String, String>): Map<String, Any?> {
        val answer = try {
            transport.post(api + path, Json.write(body), headers + ("Content-Type" to "application/json"))
        } catch (lost: IOException) {
            throw Problem(0, cause = lost)
        }
        if (answer.status == 204) return emptyMap()
        // A 200 that is no JSON comes from a network's login page.
        val read = Json.read(answer.body) ?: throw Problem(if (answer.status < 400) 0 else answer.status)
        return if (answer.status < 300) read else throw Problem(answer.status, read)
    }

    private fun state() = store.load()?.let(Json::read) ?: emptyMap()

    private fun save(session: Map<String, Any?>?, devices: Map<String, String>) =
        store.save(Json.write(mapOf("session" to session, "devices" to devices)))

    /** Renewed ahead of their end by 30 seconds, or by a tenth of a short life. */
    private fun tokens(answer: Map<String, Any?>): Map<String, Any?> {
        val now = System.currentTimeMillis()
        val life = (answer["expires_in"] as Number).toLong() * 1000
        val kept = mapOf("token" to answer["token"], "refresh_token" to answer["refresh_token"])
        return kept + mapOf("got" to now, "renew_at" to now + life - minOf(30_000, life / 10))
    }
}

@Suppress("UNCHECKED_CAST")
private fun Map<String, Any?>.session() = this["session"] as Map<String, Any?>?

@Suppress("UNCHECKED_CAST")
private fun Map<String, Any?>.devices() = this["devices"] as Map<String, String>? ?: emptyMap()

private fun given(vararg members: Pair<String, String?>) =
    members.mapNotNull { (name, value) -> value?.let { name to it } }.toMap()

private fun name(destination: Map<String, String>) = destination.values.single().lowercase()

private fun random() = ByteArray(16).also(SecureRandom()::nextBytes).joinToString("") { "%02x".format(it) }
