"""Where each voice came from: what files say of themselves, signed or not, and the job's ledger."""
