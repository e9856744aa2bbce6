//! From exec to ready, beside a bare load and attach of the same programs; and the cost of idling.
