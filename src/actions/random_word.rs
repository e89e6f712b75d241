/// 128 random bits in hexadecimal: a word that nobody could have put into a text beforehand. They
/// come from the system itself, since the TLS library gathers randomness of its own for some 10 ms
/// before it gives any.
///
/// # Panics
/// Where the system has no random numbers to give; nothing safe can be written then.
pub(super) fn random_word() -> String {
    let mut bytes = [0; 16];
    #[expect(
        clippy::expect_used,
        reason = "without randomness no delimiter is safe"
    )]
    getrandom::fill(&mut bytes).expect("the system's random numbers");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
