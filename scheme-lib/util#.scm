;; scheme-lib/util: lists, strings, numbers, bytes, output and documentation.

(##namespace
 ("scheme-lib/util#"
  ;; lists
  filter remove partition any every find list-index delete delete-duplicates reduce append-map filter-map
  take-at-most drop-at-most take-while drop-while sort
  ;; strings
  string-index string-index-right string-contains string-prefix? string-suffix? string-split string-join
  string-trim string-upcase string-downcase string-pad-left string-pad-right string-repeat string-replace
  blank-string? control-character? visible-text text written
  ;; numbers
  number->hex hex hex-address grouped u64 s64 u32 s32
  ;; bytes
  u8vector-ref-le u8vector-set-le! number->u8vector u8vector->number u8vector-concatenate
  string->utf8 utf8->string u8vector->hex hex->u8vector u8vector-index
  file-size-limit read-file-bytes write-file-bytes read-file-text write-file-text temporary-path
  ;; names that were nearly right
  edit-distance closest-names did-you-mean
  ;; output and errors
  with-captured-output exception->text exception-text! display-error call-with-clean-exit
  ;; documentation as data
  document! documentation documentation-usage documented-names
  ;; association by key, and keyword arguments
  assq-value))

;; (define-documented (name . arguments) "doc" body …) or (define-documented name "doc" value)
(##define-macro (define-documented target doc . body)
  (let ((name (if (pair? target) (car target) target)))
    `(##begin
      (define ,target ,@body)
      (scheme-lib/util#document! ',name ',target ,doc))))
