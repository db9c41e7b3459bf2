//! The choice: what it looks at, and what decides it.
