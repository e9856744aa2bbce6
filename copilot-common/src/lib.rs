//! What crosses the line between kernel and user space, and nothing else.
#![no_std]
