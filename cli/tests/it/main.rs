//! The program from end to end, a file for each command; `commands` has those that look at the table and at the machine.
mod columns;
mod commands;
mod common;
mod inputs;
mod layers;
mod lower;
mod outputs;
mod path;
mod path_golden;
mod predict;
mod run;
mod study;
mod tables;
mod tune;
