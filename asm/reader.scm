;; Text to statements, once; passes work on what comes out. What cannot be read becomes a diagnostic, and
;; reading goes on in the next line.
;;
;;   statement:  { label: } [ mnemonic operands | .directive operands | (Scheme form) … ]  [ ; comment ]
;;
;;   (source-statements (read-source "hello.s" "start: imm r1, 5"))
(module asm/reader)
(use scheme-lib/util)
(use asm/number)
(use asm/isa)
(use asm/diagnostic)
(use asm/statement)
(use asm/scanner)
(use asm/encode)
(use asm/files)
(use asm/blocks)
(use asm/runs)
(use asm/plain)
(declare (standard-bindings) (extended-bindings) (block))

(define-type scan
  file
  text                  ; ends with a newline
  (at)                  ; the index that is looked at
  (line)                ; its line, from 1
  (line-start)          ; where that line begins
  (operand-column)      ; of the operand that is being encoded
  (statements)          ; reversed, as are the following
  (diagnostics)
  (registers)
  (assigned)
  (miscounted)
  (nested)              ; the statements as a vector, blocks put together
  (too-many?)
  run                   ; a builder, of asm/runs, for instructions that are not among the statements yet
  plain)                ; of asm/plain, for the line that is being read

(define (read-source-bytes name bytes)
  (scan->source (scan-of-bytes name bytes '())))

(define (read-source name string)
  (read-source-bytes name (string->utf8 string)))

(define (scan->source scan)
  (make-source (scan-file scan)
               (scan-nested scan)
               (reverse (scan-diagnostics scan))
               (scan-registers scan)
               (scan-assigned scan)
               (scan-miscounted scan)))

;; A file, read to its end. string: what the bytes say; includers: as in source-file.
(define (scan-of-text name bytes string includers)
  (let* ((file (make-source-file name bytes includers))
         (scan (make-scan file (with-newline string) 0 1 0 0 '() '() '() '() '() '#() #f (make-run-builder)
                          (make-plain))))
    (let loop ()
      (if (not (read-until-problem scan)) (loop)))
    (finish-run! scan)
    (scan-nested-set! scan
      (nest-blocks (let ((reversed (scan-statements scan)))
                     (scan-statements-set! scan '())
                     (reverse! reversed))
                   (lambda (statement message)
                     (note-problem! scan (make-problem message '() (statement-line statement)
                                                       (statement-column statement))))))
    scan))

(define (scan-of-bytes name bytes includers)
  (let ((bytes (without-byte-order-mark bytes)))
    (with-exception-catcher
     (lambda (exception)
       (if (bad-text? exception)
           (scan-of-bad-bytes name bytes exception includers)
           (raise exception)))
     (lambda () (scan-of-text name bytes (decode-utf8 bytes) includers)))))

(define (scan-name scan)
  (source-file-name (scan-file scan)))

(define (without-byte-order-mark bytes)
  (if (and (>= (u8vector-length bytes) 3) (equal? (subu8vector bytes 0 3) '#u8(#xef #xbb #xbf)))
      (subu8vector bytes 3 (u8vector-length bytes))
      bytes))

(define (with-newline string)
  (let ((n (string-length string)))
    (if (and (> n 0) (char=? (string-ref string (- n 1)) #\newline))
        string
        (string-append string "\n"))))

(define (scan-of-bad-bytes name bytes exception includers)
  (let loop ((i 0) (line 1) (line-start 0))
    (cond ((< i (bad-text-offset exception))
           (if (= (u8vector-ref bytes i) 10)
               (loop (+ i 1) (+ line 1) (+ i 1))
               (loop (+ i 1) line line-start)))
          (else
           (let ((scan (scan-of-text name (u8vector) "" includers)))
             (scan-diagnostics-set! scan
               (list (make-asm-diagnostic name line (+ 1 (- i line-start)) (bad-text-message exception)
                                          (source-file-chain (scan-file scan))
                                          (bytes->line bytes line-start))))
             scan)))))

;; The line that begins at an index, as far as it can be shown.
(define (bytes->line bytes start)
  (let loop ((i start) (characters '()))
    (if (or (= i (u8vector-length bytes)) (= 10 (u8vector-ref bytes i)))
        (list->string (reverse characters))
        (let ((byte (u8vector-ref bytes i)))
          (loop (+ i 1) (cons (if (<= 32 byte 126) (integer->char byte) #\?) characters))))))

;; ---- problems ----------------------------------------------------------------------------------------

;; Reads on until the end (#t), or until something cannot be read (#f): the position is then in the next
;; line.
(define (read-until-problem scan)
  (with-exception-catcher
   (lambda (exception)
     (cond ((problem? exception)
            (note-problem! scan exception)
            (skip-line! scan)
            (scan-too-many? scan))
           ((bad-text? exception)
            (let ((offset (bad-text-offset exception)))
              (move-to! scan offset)
              (note-problem! scan (make-problem (bad-text-message exception) '()
                                                (scan-line scan) (column-of scan offset)))
              (skip-line! scan)
              (scan-too-many? scan)))
           (else (raise exception))))
   (lambda ()
     (let ((end (string-length (scan-text scan))))
       (let loop ()
         (or (fx>= (scan-at scan) end)
             (begin (read-line! scan) (loop))))))))

(define (note-problem! scan problem)
  (let* ((line (or (problem-line problem) (scan-line scan)))
         (column (or (problem-column problem) (scan-operand-column scan))))
    (scan-diagnostics-set! scan
      (cons (make-asm-diagnostic (scan-name scan) line column (problem-message problem)
                                 (append (problem-notes problem) (source-file-chain (scan-file scan)))
                                 (source-file-line (scan-file scan) line))
            (scan-diagnostics scan)))
    (if (>= (length (scan-diagnostics scan)) asm-diagnostic-limit)
        (scan-too-many?-set! scan #t))))

(define (column-of scan index)
  (fx+ 1 (fx- index (scan-line-start scan))))

(define (fail-here scan . parts)
  (fail-at (scan-line scan) (column-of scan (scan-at scan)) (apply text parts)))

;; Counts the lines between the position and a later index.
(define (move-to! scan index)
  (let ((text (scan-text scan)))
    (let loop ((i (scan-at scan)))
      (cond ((fx>= i index) (scan-at-set! scan index))
            ((char=? (string-ref text i) #\newline)
             (scan-line-set! scan (fx+ (scan-line scan) 1))
             (scan-line-start-set! scan (fx+ i 1))
             (loop (fx+ i 1)))
            (else (loop (fx+ i 1)))))))

(define (skip-line! scan)
  (let* ((text (scan-text scan))
         (end (string-length text)))
    (let loop ((i (scan-at scan)))
      (cond ((fx>= i end) (scan-at-set! scan end))
            ((char=? (string-ref text i) #\newline) (move-to! scan (fx+ i 1)))
            (else (loop (fx+ i 1)))))))

;; ---- lines -------------------------------------------------------------------------------------------

(define (blank? c)
  (or (char=? c #\space) (char=? c #\tab) (char=? c #\return) (char=? c #\page)))

;; The character at the position, blanks passed over.
(define (next-char scan)
  (let ((text (scan-text scan)))
    (let loop ((i (scan-at scan)))
      (let ((c (string-ref text i)))
        (if (blank? c)
            (loop (fx+ i 1))
            (begin (scan-at-set! scan i) c))))))

(define (name-end text start)
  (let loop ((i start))
    (if (name-char? (string-ref text i)) (loop (fx+ i 1)) i)))

(define (add-statement! scan kind line column head operands)
  (finish-run! scan)
  (push-statement! scan (make-statement kind (scan-file scan) line column head operands '() #f 0)))

(define (push-statement! scan statement)
  (scan-statements-set! scan (cons statement (scan-statements scan))))

;; The first `size` bytes are an instruction, which is the same wherever it stands.
(define (add-fixed! scan bytes size line column)
  (let ((run (scan-run scan)))
    (if (run-full? run) (finish-run! scan))
    (run-add! run bytes size line column)))

(define (finish-run! scan)
  (if (not (run-empty? (scan-run scan)))
      (push-statement! scan (run-take! (scan-run scan) (scan-file scan)))))

(define (read-line! scan)
  (if (char=? (next-char scan) #\#)
      (skip-line! scan)
      (read-statement! scan)))

(define (read-statement! scan)
  (let ((c (next-char scan))
        (text (scan-text scan))
        (start (scan-at scan)))
    (cond ((or (char=? c #\newline) (char=? c #\;)) (skip-line! scan))
          ((char=? c #\() (read-forms! scan))
          ((plain-instruction (scan-plain scan) text start) (add-plain! scan start))
          ((name-char? c)
           (let ((end (name-end text start)))
             (cond ((char=? (string-ref text end) #\:)
                    (read-label! scan start end)
                    (read-statement! scan))
                   ((decimal? c) (not-a-statement scan c))
                   (else
                    (cond ((assignment? text end) (read-assignment! scan start end))
                          ((char=? c #\.) (read-directive! scan start end))
                          (else (read-instruction! scan start end)))
                    (skip-line! scan)))))
          (else (not-a-statement scan c)))))

(define (add-plain! scan start)
  (let ((plain (scan-plain scan)))
    (add-fixed! scan (plain-bytes plain) (plain-size plain) (scan-line scan) (column-of scan start))
    (let ((next (fx+ (plain-end plain) 1)))
      (scan-at-set! scan next)
      (scan-line-set! scan (fx+ (scan-line scan) 1))
      (scan-line-start-set! scan next))))

(define (not-a-statement scan c)
  (fail-here scan "expected a label, an instruction, a directive or a Scheme form, found "
             (if (char=? c #\)) "a `)` that closes nothing" (text-of c))))

(define (text-of c)
  (cond ((char=? c #\newline) "the end of the line")
        ((char=? c #\;) "a comment")
        (else (text "`" c "`"))))

(define (decimal? c)
  (and (char>=? c #\0) (char<=? c #\9)))

(define (read-label! scan start end)
  (let ((name (substring (scan-text scan) start end)))
    (if (and (decimal? (string-ref name 0)) (not (every decimal? (string->list name))))
        (fail-here scan "`" name "` cannot be a label: names do not begin with a digit, and numeric labels are "
                   "digits only"))
    (if (or (register-range (scan-text scan) start end) (string=? name "."))
        (fail-here scan "`" name "` cannot be a label: it is the name of "
                   (if (string=? name ".") "nothing" "a register")))
    (add-statement! scan 'label (scan-line scan) (column-of scan start) (string->symbol name) #f)
    (scan-at-set! scan (fx+ end 1))))

;; name = value
(define (assignment? text end)
  (let loop ((i end))
    (let ((c (string-ref text i)))
      (cond ((or (char=? c #\space) (char=? c #\tab)) (loop (fx+ i 1)))
            (else (and (char=? c #\=)
                       (fx> i end)
                       (fx= (name-end text i) (fx+ i 1))))))))

(define (read-assignment! scan start end)
  (let* ((line (scan-line scan))
         (column (column-of scan start))
         (name (make-name (string->symbol (substring (scan-text scan) start end)) line column)))
    (if (register-range (scan-text scan) start end)
        (fail-here scan "`" (name-symbol name) "` is a register, which cannot be given a value here"))
    (scan-at-set! scan end)
    (next-char scan)
    (scan-at-set! scan (fx+ (scan-at scan) 1))
    (let ((operands (read-operands scan)))
      (if (not (= 1 (length operands)))
          (fail-at line column "expected one value behind `" (name-symbol name) " =`, found " (length operands)))
      (add-statement! scan 'directive line column ".set" (list name (caar operands))))))

;; ---- instructions and directives ---------------------------------------------------------------------

(define (read-directive! scan start end)
  (let ((line (scan-line scan))
        (column (column-of scan start))
        (name (substring (scan-text scan) start end)))
    (scan-at-set! scan end)
    (let ((operands (read-operands scan)))
      (if (string=? name ".include")
          (include! scan operands line column)
          (add-statement! scan 'directive line column name (map car operands))))))

;; The statements of another file stand in the place of the directive.
(define (include! scan operands line column)
  (if (not (and (pair? operands) (null? (cdr operands)) (text-literal? (caar operands))))
      (fail-at line column "`.include` expects the name of a file, such as .include \"strings.s\""))
  (scan-operand-column-set! scan (cdar operands))
  (let* ((path (find-included (text-literal->string (caar operands)) (scan-name scan)))
         (includers (cons (list (scan-name scan) line column) (source-file-includers (scan-file scan))))
         (open (cons (same-file-key (scan-name scan)) (including))))
    (if (member (same-file-key path) open)
        (fail "`.include` goes in a circle: " path " is being read already"))
    (let ((inner (parameterize ((including open)) (scan-of-bytes path (source-bytes path) includers))))
      (scan-diagnostics-set! scan (append (scan-diagnostics inner) (scan-diagnostics scan)))
      (scan-registers-set! scan (append (scan-registers inner) (scan-registers scan)))
      (scan-assigned-set! scan (append (scan-assigned inner) (scan-assigned scan)))
      (scan-miscounted-set! scan (append (scan-miscounted inner) (scan-miscounted scan)))
      (finish-run! scan)
      (scan-statements-set! scan
        (append (reverse (vector->list (scan-nested inner))) (scan-statements scan))))))

;; The files that are being read, apart from the innermost.
(define including (make-parameter '()))

(define (read-instruction! scan start end)
  (let* ((text (scan-text scan))
         (line (scan-line scan))
         (column (column-of scan start))
         (entry (isa-find-range text start end)))
    (scan-at-set! scan end)
    (if entry
        (let ((operands (read-operands scan)))
          (check-count scan entry operands line column)
          (add-instruction! scan entry (complete-operands entry operands) line column))
        ;; Something may define it; if nothing does, what is wrong with its operands matters little.
        (let ((operands (with-exception-catcher
                         (lambda (exception) (if (problem? exception) exception (raise exception)))
                         (lambda () (read-operands scan)))))
          (add-statement! scan 'unknown line column (substring text start end) operands)))))

;; A last operand of kind o may be left out.
(define (complete-operands entry operands)
  (if (fx< (length operands) (isa-entry-arity entry))
      (append operands (list (cons 0 0)))
      operands))

(define (check-count scan entry operands line column)
  (let ((count (length operands)))
    (if (or (fx< count (isa-entry-least-arity entry)) (fx> count (isa-entry-arity entry)))
        (fail-at line
                 (if (fx> count (isa-entry-arity entry))
                     (cdr (list-ref operands (isa-entry-arity entry)))
                     column)
                 "`" (isa-entry-name entry) "` takes " (operand-count-words entry)
                 ", found " count))))

(define (operand-count-words entry)
  (let ((arity (isa-entry-arity entry)))
    (if (= arity 0)
        "no operands"
        (text arity (if (= arity 1) " operand (" " operands (")
              (string-join (map isa-kind-words (string->list (isa-entry-kinds entry))) ", ")
              ")"))))

;; operands: pairs of an operand and its column
(define (add-instruction! scan entry operands line column)
  (let ((kinds (isa-entry-kinds entry)))
    (let loop ((i 0) (operands operands) (fields '()) (constant? #t))
      (if (pair? operands)
          (let* ((operand (caar operands))
                 (field (constant-field-at scan (string-ref kinds i) operand entry (cdar operands))))
            (loop (fx+ i 1)
                  (cdr operands)
                  (cons (or field (if (number? operand) (make-target operand) operand)) fields)
                  (and constant? field)))
          (let ((fields (reverse fields)))
            (if constant?
                (let ((bytes (constant-bytes entry fields)))
                  (add-fixed! scan bytes (u8vector-length bytes) line column))
                (add-statement! scan 'instruction line column entry (list->vector fields))))))))

(define (constant-field-at scan kind operand entry column)
  (if (and (register? operand)
           (not (char=? kind #\t))
           (isa-kind-register? kind)
           (char=? (register-letter operand) #\r)
           (fixnum? (register-number operand))
           (fx< (register-number operand) 65536))
      (register-number operand)
      (begin
        (scan-operand-column-set! scan column)
        (constant-field kind operand entry))))

;; ---- operands ----------------------------------------------------------------------------------------

;; Up to the end of the line, as pairs of an operand and its column. Commas may stand between.
(define (read-operands scan)
  (let loop ((operands '()) (comma #f))
    (let ((c (next-char scan)))
      (cond ((or (char=? c #\newline) (char=? c #\;))
             (if comma
                 (fail-at (scan-line scan) comma "expected an operand behind the comma, found "
                          (text-of c)))
             (reverse operands))
            ((char=? c #\,)
             (let ((column (column-of scan (scan-at scan))))
               (if (or comma (null? operands))
                   (fail-at (scan-line scan) column "expected an operand, found a comma"))
               (scan-at-set! scan (fx+ (scan-at scan) 1))
               (loop operands column)))
            (else
             (let* ((column (column-of scan (scan-at scan)))
                    (operand (read-operand scan c)))
               (check-delimiter scan)
               (loop (cons (cons operand column) operands) #f)))))))

;; The columns of the operands behind the name that stands in a column of a line.
(define (operand-columns line column)
  (let* ((text (with-newline line))
         (scan (make-scan #f text (name-end text (- column 1)) 1 0 0 '() '() '() '() '() '#() #f #f #f)))
    (with-exception-catcher
     (lambda (exception) '())
     (lambda () (map cdr (read-operands scan))))))

;; Operands end where a blank, a comma, a comment or a form begins.
(define (check-delimiter scan)
  (let ((c (string-ref (scan-text scan) (scan-at scan))))
    (if (not (or (blank? c) (memv c '(#\newline #\, #\; #\())))
        (fail-here scan "expected a blank or a comma between operands, found " (text-of c)))))

(define (read-operand scan c)
  (let* ((text (scan-text scan))
         (start (scan-at scan))
         (after (string-ref text (fxmin (fx+ start 1) (fx- (string-length text) 1)))))
    (define (finish operand end)
      (scan-at-set! scan end)
      operand)
    (define (quoted make)
      (parse-quoted text start (lambda (items end) (finish (make items) end))))
    (cond ((or (decimal? c)
               (and (memv c '(#\+ #\-))
                    (or (decimal? after)
                        (and (char=? after #\.) (decimal? (string-ref text (fx+ start 2))))))
               (and (char=? c #\.) (decimal? after)))
           (let ((end (numeric-reference-end text start)))
             (if end
                 (finish (make-name (string->symbol (substring text start end))
                                    (scan-line scan) (column-of scan start))
                         end)
                 (parse-number text start finish))))
          ((and (char=? c #\\) (name-char? after) (not (decimal? after)))
           (scan-at-set! scan (fx+ start 1))
           (read-operand scan after))
          ((name-char? c)
           (let ((end (name-end text start)))
             (finish (or (register-range text start end)
                         (make-name (string->symbol (substring text start end))
                                    (scan-line scan)
                                    (column-of scan start)))
                     end)))
          ((char=? c #\() (read-form! scan))
          ((char=? c #\") (quoted items->text-literal))
          ((char=? c #\') (quoted (lambda (items) (items->character scan items))))
          (else (fail-here scan "expected an operand, found " (text-of c)
                           (cond ((char=? c #\[) ": an address is written `base, offset`")
                                 ((and (char=? c #\#) (or (decimal? after) (char=? after #\-)))
                                  ": a number has nothing before it")
                                 ((char=? c #\#) ": behind a statement, a comment begins with ;")
                                 (else "")))))))

;; The index behind `1b` or `1f`, which name the numeric label before or behind; #f where none stands.
(define (numeric-reference-end text start)
  (let loop ((i start))
    (let ((c (string-ref text i)))
      (cond ((decimal? c) (loop (fx+ i 1)))
            ((and (fx> i start)
                  (or (char=? c #\b) (char=? c #\f))
                  (not (name-char? (string-ref text (fx+ i 1)))))
             (fx+ i 1))
            (else #f)))))

(define (items->character scan items)
  (if (and (pair? items) (null? (cdr items)))
      (if (char? (car items)) (char->integer (car items)) (car items))
      (fail-here scan "a character literal holds one character, found " (length items)
                 (if (null? items) "" ": text is written between \" and \""))))

(define (items->text-literal items)
  (make-text-literal
   (if (every (lambda (item) (or (not (char? item)) (char<? item #\x80))) items)
       (list->u8vector (map (lambda (item) (if (char? item) (char->integer item) item)) items))
       (u8vector-concatenate
        (map (lambda (item) (if (char? item) (string->utf8 (string item)) (u8vector item))) items)))))

;; Registers of small numbers are shared.
(define small-registers
  (list->vector (map (lambda (n) (make-register #\r n)) (iota 256))))

;; The register that text[start, end) names, or #f: r and digits, t0 to t15.
(define (register-range text start end)
  (let ((letter (string-ref text start)))
    (and (or (char=? letter #\r) (char=? letter #\t))
         (fx> end (fx+ start 1))
         (fx< (fx- end start) 20)
         (not (and (char=? (string-ref text (fx+ start 1)) #\0) (fx> end (fx+ start 2))))
         (let loop ((i (fx+ start 1)) (n 0))
           (cond ((fx= i end)
                  (cond ((char=? letter #\t) (and (fx< n 16) (make-register #\t n)))
                        ((fx< n 256) (vector-ref small-registers n))
                        (else (make-register #\r n))))
                 ((decimal? (string-ref text i))
                  (loop (fx+ i 1) (fx+ (fx* n 10) (fx- (char->integer (string-ref text i)) 48))))
                 (else #f))))))

;; The register that a symbol names, or #f.
(define (register-symbol symbol)
  (let ((string (symbol->string symbol)))
    (and (fx> (string-length string) 1)
         (register-range string 0 (string-length string)))))

;; ---- Scheme forms ------------------------------------------------------------------------------------

;; A statement of forms: one or more, up to the end of the line in which the last one ends.
(define (read-forms! scan)
  (let loop ((c (next-char scan)))
    (cond ((char=? c #\()
           (let* ((line (scan-line scan))
                  (column (column-of scan (scan-at scan)))
                  (form (read-form! scan)))
             (add-statement! scan 'form line column #f form)
             (loop (next-char scan))))
          ((or (char=? c #\newline) (char=? c #\;)) (skip-line! scan))
          (else (fail-here scan "expected the end of the line behind a Scheme form, found " (text-of c))))))

(define (read-form! scan)
  (let* ((text (scan-text scan))
         (start (scan-at scan))
         (line (scan-line scan))
         (column (column-of scan start))
         (end (form-end text start)))
    (if (not end) (unbalanced! scan start line column))
    (let ((datum (parse-form scan (substring text start end) line column)))
      (note-symbols! scan datum)
      (move-to! scan end)
      (make-form datum line column))))

;; A parenthesis that is never closed swallows the rest of the source. Where a later line opens a form in
;; the same column, the missing one most likely belongs before it, and reading goes on there.
(define (unbalanced! scan start line column)
  (let* ((string (scan-text scan))
         (end (string-length string)))
    (let loop ((i (fx+ start 1)) (line-start (scan-line-start scan)) (n line))
      (cond ((fx>= i end)
             (scan-at-set! scan (fx- end 1))
             (fail-at line column "this `(` is never closed: expected `)` before the end of the source"))
            ((char=? (string-ref string i) #\newline) (loop (fx+ i 1) (fx+ i 1) (fx+ n 1)))
            ((and (char=? (string-ref string i) #\()
                  (fx> n line)
                  (fx= (fx- i line-start) (fx- column 1))
                  (only-blanks? string line-start i))
             (move-to! scan (fx- line-start 1))
             (raise (make-problem
                     "this `(` is never closed: expected `)` before the end of the source"
                     (list (text "the form in line " n " begins in the same column, so the `)` "
                                 "is probably missing before it"))
                     line column)))
            ((and (fx> n line) (fx= i line-start) (label-at? string i))
             (move-to! scan (fx- line-start 1))
             (raise (make-problem
                     "this `(` is never closed: expected `)` before the end of the source"
                     (list (text "line " n " begins with a label, so the `)` is probably missing before it"))
                     line column)))
            (else (loop (fx+ i 1) line-start n))))))

(define (label-at? text start)
  (let ((end (name-end text start)))
    (and (fx> end start) (char=? (string-ref text end) #\:))))

(define (only-blanks? text start end)
  (or (fx= start end)
      (and (blank? (string-ref text start)) (only-blanks? text (fx+ start 1) end))))

;; Gambit's reader, with the positions of the form's place in the source.
(define (parse-form scan string line column)
  (with-exception-catcher
   (lambda (exception)
     (if (datum-parsing-exception? exception)
         (let ((place (shift (##readenv->locat (datum-parsing-exception-readenv exception)) line column)))
           (fail-at (car place) (cdr place)
                    "this Scheme form cannot be read: "
                    (string-replace (symbol->string (datum-parsing-exception-kind exception)) "-" " ")))
         (raise exception)))
   (lambda ()
     (let ((parsed (##read-all-as-a-begin-expr-from-port
                    (open-input-string string)
                    (##current-readtable)
                    (lambda (environment datum)
                      (let ((place (shift (##readenv->locat environment) line column)))
                        (##make-source (assembly-number datum)
                                       (make-place (scan-name scan) (car place) (cdr place)))))
                    ##unwrap-datum
                    #f
                    #t)))
       (cadr (##source-code (vector-ref parsed 1)))))))

;; Numbers such as 0x1F, symbols to Scheme, mean in a form what they mean elsewhere in a source.
(define (assembly-number datum)
  (if (not (symbol? datum))
      datum
      (let* ((string (symbol->string datum))
             (n (string-length string))
             (sign (if (and (> n 0) (memv (string-ref string 0) '(#\+ #\-))) 1 0)))
        (if (and (> n (+ sign 2))
                 (char=? (string-ref string sign) #\0)
                 (memv (string-ref string (+ sign 1)) '(#\x #\X #\o #\b)))
            (with-exception-catcher
             (lambda (exception) datum)
             (lambda ()
               (parse-number (string-append string "\n") 0
                             (lambda (number end) (if (= end n) number datum)))))
            datum))))

(define (make-place name line column)
  (##make-locat name (##filepos->position (##make-filepos (- line 1) (- column 1) 0))))

;; Line and column in the source of a position in a form that begins at line and column.
(define (shift locat line column)
  (let* ((position (##position->filepos (##locat-position locat)))
         (form-line (##filepos-line position)))
    (cons (+ line form-line)
          (+ 1 (##filepos-col position) (if (= form-line 0) (- column 1) 0)))))

;; Which registers beyond the predefined ones a form mentions, and which variables it defines or assigns; and where it
;; has an instruction's list with a wrong number of operands.
(define (note-symbols! scan source)
  (let ((wrong? #f))
    (let walk ((datum (##desourcify source)))
      (cond ((pair? datum)
             (if (pair? (cdr datum))
                 (case (car datum)
                   ((define define-macro define-syntax set!) (note-assigned! scan (innermost (cadr datum))))
                   ((define-values define-record-type) (note-assigned! scan (cdr datum)))
                   ((list) (if (miscounted-entry datum) (set! wrong? #t)))))
             (walk (car datum))
             (walk (cdr datum)))
            ((vector? datum) (walk (vector->list datum)))
            ((symbol? datum)
             (let ((register (register-symbol datum)))
               (if (and register (>= (register-number register) 256)
                        (not (memq datum (scan-registers scan))))
                   (scan-registers-set! scan (cons datum (scan-registers scan))))))))
    (if wrong? (note-miscounted! scan source))))

;; The entry of the mnemonic in (list mnemonic operand …) where that has another number of operands than it takes.
(define (miscounted-entry datum)
  (and (list? datum)
       (eq? (car datum) 'list)
       (pair? (cdr datum))
       (symbol? (cadr datum))
       (let ((entry (isa-find (symbol->string (cadr datum)))))
         (and entry
              (> (isa-entry-arity entry) 0)
              (not (<= (isa-entry-least-arity entry) (length (cddr datum)) (isa-entry-arity entry)))
              entry))))

(define (note-miscounted! scan code)
  (cond ((pair? code)
         (note-miscounted! scan (car code))
         (note-miscounted! scan (cdr code)))
        ((##source? code)
         (let ((entry (and (pair? (##source-code code)) (miscounted-entry (##desourcify code)))))
           (if (and entry (< (length (scan-miscounted scan)) asm-diagnostic-limit))
               (let ((place (##position->filepos (##locat-position (##source-locat code)))))
                 (scan-miscounted-set! scan
                   (cons (list (scan-name scan) (+ 1 (##filepos-line place)) (+ 1 (##filepos-col place))
                               (isa-entry-name entry))
                         (scan-miscounted scan))))))
         (note-miscounted! scan (##source-code code)))))

;; The name in (define ((curried a) b) …).
(define (innermost target)
  (if (pair? target) (innermost (car target)) target))

;; A symbol, or all that stand in a list.
(define (note-assigned! scan target)
  (cond ((pair? target)
         (note-assigned! scan (car target))
         (note-assigned! scan (cdr target)))
        ((and (symbol? target) (not (memq target (scan-assigned scan))))
         (scan-assigned-set! scan (cons target (scan-assigned scan))))))
