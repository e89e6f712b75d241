//! The documentation's table of inputs and what each may do under a policy.

use super::declared_inputs::Input;
use super::under_policy::PolicyEffect;

/// Returns the table, in Markdown: a row for each input that a policy limits, and one for all others.
pub fn policy_effects_table() -> String {
    let mut table = String::from("| input | under a policy | |\n|---|---|---|\n");
    let inputs = Input::ALL.iter().copied();
    let (free, limited): (Vec<Input>, Vec<Input>) =
        inputs.partition(|input| input.under_policy() == PolicyEffect::Free);
    for input in limited {
        let effect = input.under_policy();
        table += &format!("| `{input}` | {} | {} |\n", effect.name(), effect.meaning());
    }
    let names: Vec<String> = free.iter().map(|input| format!("`{input}`")).collect();
    let free = PolicyEffect::Free;
    table + &format!("| {} | {} | |\n", names.join(", "), free.name())
}
