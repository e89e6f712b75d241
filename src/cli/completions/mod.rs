//! Scripts that complete verbs, flags and their values in a shell.

mod bash;
mod fish;
mod zsh;

use super::shell::Shell;

/// Returns the script of a shell.
pub(super) fn completion_script(shell: Shell) -> String {
    match shell {
        Shell::Bash => bash::script(),
        Shell::Zsh => zsh::script(),
        Shell::Fish => fish::script(),
    }
}
