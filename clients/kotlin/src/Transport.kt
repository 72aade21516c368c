package loginwithotp

import java.net.HttpURLConnection
import java.net.URI

class Answer(val status: Int, val body: String)

/** Sends a request, and throws an `IOException` where no answer comes. */
fun interface Transport {
    fun post(url: String, body: String, headers: Map<String, String>): Answer
}

/** By what both the JVM and Android have. */
class HttpTransport(private val timeout: Int = 30_000) : Transport {
    override fun post(url: String, body: String, headers: Map<String, String>): Answer {
        val connection = URI(url).toURL().openConnection() as HttpURLConnection
        connection.requestMethod = "POST"
        connection.connectTimeout = timeout
        connection.readTimeout = timeout
        connection.doOutput = true
        headers.forEach(connection::setRequestProperty)
        connection.outputStream.use { it.write(body.toByteArray()) }
        val status = connection.responseCode
        val answer = if (status < 400) connection.inputStream else connection.errorStream
        return Answer(status, answer?.use { it.readBytes().decodeToString() } ?: "")
    }
}
