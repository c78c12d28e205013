"""Bytes to columns: one interface (`interface`), one implementation per format (`json`; Avro, Protobuf and Arrow will join)."""
