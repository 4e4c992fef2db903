;; asm/scanner: characters to numbers, strings and extents.
(##namespace ("asm/scanner#"
  decode-utf8 name-chars parse-number parse-quoted form-end
  make-bad-text bad-text? bad-text-offset bad-text-message))

;; Whether a character can be part of a name. A macro, because it is asked of every character.
(##define-macro (name-char? c)
  `(let ((code (char->integer ,c)))
     (or (fx>= code 128) (vector-ref name-chars code))))
