package loginwithotp

/** Keeps one text, which is a secret: on Android, encrypted by a key of the Keystore. */
interface Store {
    fun load(): String?
    fun save(text: String)
}

/** Keeps it until the process ends. */
class MemoryStore : Store {
    private var text: String? = null

    override fun load() = text
    override fun save(text: String) {
        this.text = text
    }
}
