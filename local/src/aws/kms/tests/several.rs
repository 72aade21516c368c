//! How a name selects one of several keys.

use super::*;

#[test]
fn a_key_goes_by_its_id_alias_and_arn() {
    let keys = keys();
    let describe = |id: &str| {
        let answer = ask(&keys, "DescribeKey", &json!({ "KeyId": id }))?;
        Ok(answer["KeyMetadata"]["KeySpec"].clone())
    };
    for id in [
        "local-digest-key",
        "alias/local-digest-key",
        "arn:aws:kms:us-east-1:000000000000:key/local-digest-key",
        "arn:aws:kms:us-east-1:000000000000:alias/local-digest-key",
        "arn:aws:kms:eu-west-1:111111111111:key/local-digest-key",
    ] {
        assert_eq!(describe(id), Ok("HMAC_256".into()), "{id}");
    }
    for id in [
        "",
        "key/local-digest-key",
        "alias/alias/local-digest-key",
        "arn:aws:kms:us-east-1:000000000000:local-digest-key",
        "arn:aws:kms",
    ] {
        assert_eq!(describe(id), Err("NotFoundException"), "{id}");
    }
    let listed = ask(&keys, "ListKeys", &json!({})).unwrap();
    assert_eq!(listed["Keys"].as_array().unwrap().len(), 2);
}

#[test]
fn keys_take_the_ids_they_are_given() {
    let keys = Keys::generate(
        &["alias/app/tokens", "next"],
        &["arn:aws:kms:eu-west-1:1:key/0a-1b"],
    )
    .unwrap();
    let listed = ask(&keys, "ListKeys", &json!({})).unwrap();
    let listed = listed["Keys"].as_array().unwrap();
    let ids: Vec<_> = listed.iter().map(|key| &key["KeyId"]).collect();
    assert_eq!(ids, ["app/tokens", "next", "0a-1b"]);
    assert!(ask(&keys, "DescribeKey", &json!({ "KeyId": "0a-1b" })).is_ok());
}

#[test]
fn no_two_keys_have_one_id_and_none_is_without() {
    assert!(Keys::generate(&["same"], &["alias/same"]).is_err());
    assert!(Keys::generate(&["same", "same"], &["digest"]).is_err());
    assert!(Keys::generate(&["signing"], &["same", "alias/same"]).is_err());
    assert!(Keys::generate(&[""], &["digest"]).is_err());
    assert!(Keys::generate(&["signing"], &[]).is_ok());
}

#[test]
fn each_key_has_a_material_of_its_own() {
    let keys = Keys::generate(&[SIGNING_KEY_ID, "signing-b"], &[DIGEST_KEY_ID, "digest-b"]);
    let keys = keys.unwrap();
    let by = |request: Value, id: &str| with(request, "KeyId", id);

    let sign = signing(MESSAGE, "RAW");
    let signature = ask(&keys, "Sign", &sign).unwrap()["Signature"].clone();
    let verify = with(sign, "Signature", signature);
    assert!(ask(&keys, "Verify", &verify).is_ok());
    let invalid = Err("KMSInvalidSignatureException");
    assert_eq!(ask(&keys, "Verify", &by(verify, "signing-b")), invalid);

    let mac = ask(&keys, "GenerateMac", &digesting(MESSAGE)).unwrap()["Mac"].clone();
    let verify = with(digesting(MESSAGE), "Mac", mac);
    assert!(ask(&keys, "VerifyMac", &verify).is_ok());
    let invalid = Err("KMSInvalidMacException");
    assert_eq!(ask(&keys, "VerifyMac", &by(verify, "digest-b")), invalid);

    let public = |id| ask(&keys, "GetPublicKey", &json!({ "KeyId": id })).unwrap();
    let (first, second) = (public(SIGNING_KEY_ID), public("alias/signing-b"));
    assert_ne!(first["PublicKey"], second["PublicKey"]);
    assert!(
        second["KeyId"]
            .as_str()
            .unwrap()
            .ends_with(":key/signing-b")
    );
}
