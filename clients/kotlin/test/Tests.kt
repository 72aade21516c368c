// The client against the local stack, over networks that lose answers.
import java.io.IOException
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.util.concurrent.Executors
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotEquals
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import loginwithotp.Answer
import loginwithotp.Client
import loginwithotp.HttpTransport
import loginwithotp.MemoryStore
import loginwithotp.Problem
import loginwithotp.Transport

val api = System.getenv("API")!!
val inbox = System.getenv("INBOX")!!
val http: HttpClient = HttpClient.newHttpClient()

fun ask(request: HttpRequest.Builder): HttpResponse<String> = http.send(request.build(), HttpResponse.BodyHandlers.ofString())

fun messages(to: String) = ask(HttpRequest.newBuilder(URI("$inbox/api/messages?to=$to"))).body()

fun codes(to: String) = Regex("\"code\":\"(\\d+)\"").findAll(messages(to)).map { it.groupValues[1] }.toList()

/** Loses the answers of the first requests to a path, and counts all of them. */
class Network(private val losing: String = "", private var times: Int = 0) : Transport {
    val asked = mutableListOf<String>()
    private val real = HttpTransport()

    override fun post(url: String, body: String, headers: Map<String, String>): Answer {
        val answer = real.post(url, body, headers)
        val path = URI(url).path
        synchronized(asked) { asked += path }
        if (path == losing && times-- > 0) throw IOException("lost")
        return answer
    }

    fun count(path: String) = asked.count { it == path }
}

fun client(network: Network = Network(), store: MemoryStore = MemoryStore()) = Client(api, store, transport = network, waits = listOf(0, 0))

val tests = mapOf(
    "a login, a guarded call and a logout" to {
        val client = client()
        val token = logIn(client, "whole@example.com") { codes("whole@example.com").first() }
        val me = ask(HttpRequest.newBuilder(URI("$api/api/me/")).header("Authorization", "Bearer $token"))
        assertTrue(client.session!!.userId in me.body())
        client.logout()
        assertNull(client.session)
        assertNull(client.token())
    },
    "a lost answer is repeated, and nothing happens twice" to {
        for (path in listOf("/api/login-with-otp/", "/api/validate-otp/", "/api/token/refresh/", "/api/logout/")) {
            val network = Network(path, 2)
            val to = "lost${path.length}@example.com"
            val client = client(network)
            logIn(client, to) { codes(to).first() }
            assertNotNull(client.refresh())
            client.logout()
            assertEquals(3, network.count(path), path)
            assertEquals(1, codes(to).size, path)
        }
    },
    "who asks again after lost answers gets the first challenge" to {
        val client = client(Network("/api/login-with-otp/", 3))
        assertTrue(assertFailsWith<Problem> { client.requestCode(email = "again@example.com") }.lost)
        client.requestCode(email = "again@example.com")
        assertEquals(1, codes("again@example.com").size)
    },
    "a wrong code is a problem" to {
        val client = client()
        val challenge = client.requestCode(phoneNumber = "+14165550123")
        val code = codes("+14165550123").first()
        val wrong = "${(code[0].digitToInt() + 1) % 10}${code.drop(1)}"
        val problem = assertFailsWith<Problem> { client.validate(challenge, wrong) }
        assertEquals("/problems/invalid-otp" to 400, problem.type to problem.status)
        client.validate(challenge, code, device = "tests")
        assertFailsWith<IllegalArgumentException> { client.requestCode() }
    },
    "fifty threads share one refresh" to {
        val network = Network()
        val client = client(network)
        val stale = logIn(client, "threads@example.com") { codes("threads@example.com").first() }
        val pool = Executors.newFixedThreadPool(50)
        val tokens = (1..50).map { pool.submit<String?> { client.refresh(stale) } }.map { it.get() }.toSet()
        pool.shutdown()
        assertEquals(1, tokens.size)
        assertNotEquals(stale, tokens.single())
        assertEquals(1, network.count("/api/token/refresh/"))
    },
    "two clients of one store share its session, and a device is known until it is forgotten" to {
        val store = MemoryStore()
        val first = client(store = store)
        val stale = logIn(first, "device@example.com") { codes("device@example.com").first() }
        val renewed = first.refresh()
        assertEquals(renewed, client(store = store).refresh(stale))
        first.logout()
        assertTrue("device@example.com" in store.load()!!)
        logIn(first, "device@example.com") { codes("device@example.com").first() }
        first.logout(forget = true)
        assertTrue("device@example.com" !in store.load()!!)
    },
    "a session that ended on the server ends here, and a lost network ends nothing" to {
        val client = client(Network("/api/token/refresh/", 3))
        logIn(client, "ended@example.com") { codes("ended@example.com").first() }
        assertEquals("network", assertFailsWith<Problem> { client.refresh() }.type)
        assertNotNull(client.session)
        val month = HttpRequest.BodyPublishers.ofString("{\"advance\": ${31 * 86_400}}")
        assertEquals(200, ask(HttpRequest.newBuilder(URI("$inbox/api/clock")).POST(month)).statusCode())
        assertNull(client.refresh())
        assertNull(client.session)
    },
    "what is no JSON is a lost answer, and any JSON is read" to {
        for (page in listOf("<html>", "", "{", "{\"a\":}", "[]", "{}x", "{\"a\":\"")) {
            val portal = Client(api, transport = { _, _, _ -> Answer(200, page) }, waits = emptyList())
            assertEquals("network", assertFailsWith<Problem> { portal.requestCode(email = "a@example.com") }.type, page)
        }
        val full = """{"x":[1,{"y":null}],"detail":"a\n\"\u00e9","type":"/problems/x","retry_after":2,"z":1.5}"""
        val refused = Client(api, transport = { _, _, _ -> Answer(400, full) })
        val problem = assertFailsWith<Problem> { refused.requestCode(email = "a@example.com") }
        assertEquals(Triple("/problems/x", "a\n\"é", 2), Triple(problem.type, problem.message, problem.retryAfter))
    },
)

fun main() {
    for ((name, test) in tests) {
        test()
        println("ok  $name")
    }
    println("${tests.size} passed, 0 failed")
}
