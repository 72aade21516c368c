// A login from an app for iOS: the challenge, the code, the session. Not run here; docs/app.md explains it.

struct Challenge: Decodable { let challenge_id: String; let code_length: Int; let expires_in: Int; let resend_in: Int }
struct Session: Decodable { let token: String; let refresh_token: String; let expires_in: Int }
struct Problem: Decodable, Error { let type: String; let detail: String; let retry_after: Int? }

func post<Answer: Decodable>(_ path: String, _ body: [String: String], key: UUID? = nil) async throws -> Answer {
    var request = URLRequest(url: api.appending(path: path))
    request.httpMethod = "POST"
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    request.setValue(Locale.preferredLanguages.first, forHTTPHeaderField: "Accept-Language")
    if let key { request.setValue(key.uuidString, forHTTPHeaderField: "Idempotency-Key") }
    request.httpBody = try JSONEncoder().encode(body)
    let (data, response) = try await URLSession.shared.data(for: request)
    let status = (response as! HTTPURLResponse).statusCode
    guard status != 503 else { throw URLError(.badServerResponse) }
    guard status < 300 else { throw try JSONDecoder().decode(Problem.self, from: data) }
    return try JSONDecoder().decode(Answer.self, from: data)
}

func repeated<Answer>(_ request: () async throws -> Answer) async throws -> Answer {
    for seconds in [1, 3] {
        do { return try await request() } catch is URLError { try await Task.sleep(for: .seconds(seconds)) }
    }
    return try await request()
}

let challenge: Challenge = try await post("/api/login-with-otp/", ["phone_number": number], key: UUID())
let key = UUID() // one for each code that the person types
let guess = ["phone_number": number, "otp": code, "challenge_id": challenge.challenge_id]
let session: Session = try await repeated { try await post("/api/validate-otp/", guess, key: key) }

TextField("Code", text: $code)
    .keyboardType(.numberPad)
    .textContentType(.oneTimeCode)
