use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};

use super::*;

mod several;

fn keys() -> Keys {
    Keys::generate(&[SIGNING_KEY_ID], &[DIGEST_KEY_ID]).unwrap()
}

const MESSAGE: &[u8] = b"header.payload";

fn ask(keys: &Keys, operation: &str, request: &Value) -> Result<Value, &'static str> {
    let answer = keys.answer(operation, request.to_string().as_bytes());
    let answer = answer.map_err(|error| error.code)?;
    Ok(serde_json::from_str(&answer).unwrap())
}

fn signing(message: &[u8], message_type: &str) -> Value {
    json!({
        "KeyId": SIGNING_KEY_ID,
        "Message": BASE64_STANDARD.encode(message),
        "MessageType": message_type,
        "SigningAlgorithm": SIGNING_ALGORITHM,
    })
}

fn digesting(message: &[u8]) -> Value {
    json!({
        "KeyId": DIGEST_KEY_ID,
        "Message": BASE64_STANDARD.encode(message),
        "MacAlgorithm": MAC_ALGORITHM,
    })
}

fn with(mut request: Value, name: &str, value: impl Into<Value>) -> Value {
    request[name] = value.into();
    request
}

#[test]
fn a_signature_verifies_here_and_with_the_public_key() {
    let keys = keys();
    let raw = ask(&keys, "Sign", &signing(MESSAGE, "RAW")).unwrap();
    let hash = digest(&SHA256, MESSAGE);
    let digested = ask(&keys, "Sign", &signing(hash.as_ref(), "DIGEST")).unwrap();
    assert_eq!(raw, digested, "the scheme has no randomness");
    assert_eq!(
        raw["KeyId"],
        "arn:aws:kms:us-east-1:000000000000:key/local-signing-key"
    );

    let verify = with(
        signing(MESSAGE, "RAW"),
        "Signature",
        raw["Signature"].clone(),
    );
    assert_eq!(
        ask(&keys, "Verify", &verify).unwrap()["SignatureValid"],
        true
    );

    let public = ask(&keys, "GetPublicKey", &json!({ "KeyId": SIGNING_KEY_ID })).unwrap();
    let decode = |value: &Value| BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, decode(&public["PublicKey"]))
        .verify(MESSAGE, &decode(&raw["Signature"]))
        .unwrap();
}

#[test]
fn a_signature_fits_one_message() {
    let keys = keys();
    let signature = ask(&keys, "Sign", &signing(MESSAGE, "RAW")).unwrap()["Signature"].clone();
    let other = with(signing(b"other", "RAW"), "Signature", signature);
    let invalid = Err("KMSInvalidSignatureException");
    assert_eq!(ask(&keys, "Verify", &other), invalid);
}

#[test]
fn a_mac_is_stable_and_fits_one_message() {
    let keys = keys();
    let mac = ask(&keys, "GenerateMac", &digesting(MESSAGE)).unwrap();
    assert_eq!(
        ask(&keys.clone(), "GenerateMac", &digesting(MESSAGE)).unwrap(),
        mac
    );

    let verify = |message| with(digesting(message), "Mac", mac["Mac"].clone());
    let valid = ask(&keys, "VerifyMac", &verify(MESSAGE)).unwrap();
    assert_eq!(valid["MacValid"], true);
    let invalid = ask(&keys, "VerifyMac", &verify(b"other"));
    assert_eq!(invalid, Err("KMSInvalidMacException"));
}

fn assert_errors(keys: &Keys, cases: &[(&str, Value, &'static str)]) {
    for (operation, request, error) in cases {
        assert_eq!(
            ask(keys, operation, request),
            Err(*error),
            "{operation} {request}"
        );
    }
}

#[test]
fn a_key_does_what_it_is_for() {
    let usage = "InvalidKeyUsageException";
    let unsupported = "UnsupportedOperationException";
    let sign = || signing(MESSAGE, "RAW");
    let mac = || digesting(MESSAGE);
    let digest_key = json!({ "KeyId": DIGEST_KEY_ID });
    let keys = keys();
    assert_errors(
        &keys,
        &[
            ("Sign", with(sign(), "KeyId", DIGEST_KEY_ID), usage),
            (
                "Sign",
                with(sign(), "SigningAlgorithm", "ECDSA_SHA_256"),
                usage,
            ),
            (
                "Sign",
                with(sign(), "SigningAlgorithm", "RSASSA_PSS_SHA_256"),
                unsupported,
            ),
            ("GenerateMac", with(mac(), "KeyId", SIGNING_KEY_ID), usage),
            (
                "GenerateMac",
                with(mac(), "MacAlgorithm", "HMAC_SHA_512"),
                usage,
            ),
            ("GetPublicKey", digest_key, unsupported),
            ("Encrypt", json!({}), unsupported),
        ],
    );
}

#[test]
fn wrong_requests_get_the_errors_of_kms() {
    let validation = "ValidationException";
    let serialization = "SerializationException";
    let sign = || signing(MESSAGE, "RAW");
    let long = BASE64_STANDARD.encode([0; 4097]);
    let keys = keys();
    assert_errors(
        &keys,
        &[
            ("Sign", with(sign(), "KeyId", Value::Null), validation),
            ("Sign", with(sign(), "Message", ""), validation),
            ("Sign", with(sign(), "Message", long), validation),
            ("Sign", with(sign(), "MessageType", "DIGEST"), validation),
            ("Sign", with(sign(), "MessageType", "raw"), validation),
            (
                "Sign",
                with(sign(), "SigningAlgorithm", "RS256"),
                validation,
            ),
            ("Sign", with(sign(), "Message", "~"), serialization),
            ("Sign", with(sign(), "Message", 7), serialization),
            ("Sign", json!("Sign"), serialization),
        ],
    );
    assert!(keys.answer("Sign", b"{").is_err());
}
