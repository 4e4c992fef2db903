;; asm/resolve: which objects take part in a link, and what each name means.
(##namespace ("asm/resolve#"
  resolve resolution-units resolution-extracted resolution-entry
  unit-object unit-keys unit-symbol-live? unit-defines? section-live? drop-unreferenced! undefined-weak-keys
  duplicate-diagnostics undefined-diagnostics))
