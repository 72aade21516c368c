package loginwithotp

/** Objects as maps, with strings, whole numbers, booleans, null, and what is made of them. */
internal object Json {
    fun write(value: Any?): String = when (value) {
        is Map<*, *> -> value.entries.joinToString(",", "{", "}") { (name, member) -> "${write(name)}:${write(member)}" }
        is String -> value.map(::escaped).joinToString("", "\"", "\"")
        else -> value.toString()
    }

    private fun escaped(char: Char) = if (char in "\"\\" || char < ' ') "\\u%04x".format(char.code) else char.toString()

    /** The object in a text, or null if the text is none. */
    @Suppress("UNCHECKED_CAST")
    fun read(text: String): Map<String, Any?>? = try {
        Reader(text).whole() as? Map<String, Any?>
    } catch (_: IllegalArgumentException) {
        null
    }
}

private class Reader(private val text: String) {
    private var at = 0

    fun whole() = value().also { require(peek() == null) }

    private fun peek(): Char? {
        while (text.getOrNull(at)?.isWhitespace() == true) at++
        return text.getOrNull(at)
    }

    private fun take(char: Char) = (peek() == char).also { if (it) at++ }

    private fun value(): Any? = when {
        take('{') -> buildMap { list('}') { string().also { require(take(':')) }.let { put(it, value()) } } }
        take('[') -> buildList { list(']') { add(value()) } }
        peek() == '"' -> string()
        else -> word()
    }

    private fun list(end: Char, item: () -> Unit) {
        if (take(end)) return
        do item() while (take(','))
        require(take(end))
    }

    private fun string(): String {
        require(take('"'))
        return buildString {
            while (true) {
                when (val char = next()) {
                    '"' -> return@buildString
                    '\\' -> append(escape(next()))
                    else -> append(char)
                }
            }
        }
    }

    private fun next() = requireNotNull(text.getOrNull(at++))

    private fun escape(char: Char) = when (char) {
        'n' -> '\n'
        't' -> '\t'
        'r' -> '\r'
        'b' -> '\b'
        'f' -> '\u000c'
        'u' -> String(CharArray(4) { next() }).toInt(16).toChar()
        else -> char
    }

    private fun word(): Any? {
        val from = at
        while (text.getOrNull(at)?.let { it.isLetterOrDigit() || it in "+-." } == true) at++
        return when (val word = text.substring(from, at)) {
            "true" -> true
            "false" -> false
            "null" -> null
            else -> word.toLongOrNull() ?: requireNotNull(word.toDoubleOrNull())
        }
    }
}
