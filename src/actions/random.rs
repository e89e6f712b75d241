/// 128 random bits in hexadecimal: a word that nobody could have put into a text beforehand.
///
/// # Panics
/// Where the system has no random numbers to give; nothing safe can be written then.
pub(super) fn word() -> String {
    let mut bytes = [0; 16];
    #[expect(
        clippy::expect_used,
        reason = "without randomness no delimiter is safe"
    )]
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's random numbers");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
