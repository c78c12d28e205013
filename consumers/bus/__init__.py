"""The bus: one small interface (`interface`), two implementations (`kafka`, `embedded`)."""
