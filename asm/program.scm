;; Sources to programs.
;;
;;   (define p (asm-file "hello.s"))
;;   (map program-section-name (program-sections p))   => (".text" ".data")
;;   (asm "add r1, r2, r3")                            => #u8(51 1 2 3)
(module asm/program)
(use scheme-lib/util)
(use asm/isa)
(use asm/diagnostic)
(use asm/statement)
(use asm/reader)
(use asm/assembly)
(use asm/directives)
(use asm/files)
(use asm/blocks)
(use asm/passes)
(use asm/define)
(use asm/tables)
(declare (standard-bindings) (extended-bindings) (block))

(define-type program
  name
  sections   ; program-sections in order of address
  symbols    ; pairs of a name (a string) and its value, by value
  assembly   ; that made it; #f if that was a linker
  lines-do   ; a procedure: (lines-do (lambda (file address line column) …)), once for each line, in any order
  noted-expansions ; a promise
  noted-views
  imports    ; names of host calls, in the order of their indices
  entry      ; an address
  globals    ; the names of .global
  instructions ; asm/define's definitions that it brings, by opcode
  passes)    ; how many it took

(define-type program-section
  name
  address
  bytes          ; a u8vector
  memory-length  ; at least the bytes; what is behind them is zeros
  protection)    ; "rx", "rw", …

;; The source lines of the code: vectors of address, file, line and column, by address.
(define (program-lines program)
  (lines-of (program-lines-do program)))

;; How many lines the source has, without what it includes.
(define (program-source-length program)
  (source-file-line-count (source-file (assembly-source (program-assembly program)))))

;; Does (action file address line column) for each of them, in any order. Takes no memory for them.
(define (program-for-each-line program action)
  ((program-lines-do program) action))

;; Where in macros code was made: vectors of address, macro, file, line and column, by address; of several for one
;; address each is called by the one before it, the first by the source line.
(define (program-expansions program)
  (force (program-noted-expansions program)))

;; What (view name description) says: ((name . text) …), by name.
(define (program-views program)
  (sort (map (lambda (view) (cons (symbol->string (car view)) (cdr view))) (program-noted-views program))
        (lambda (x y) (utf8<? (car x) (car y)))))

(define (utf8<? x y)
  (let loop ((x (u8vector->list (string->utf8 x))) (y (u8vector->list (string->utf8 y))))
    (and (pair? y)
         (or (null? x)
             (< (car x) (car y))
             (and (= (car x) (car y)) (loop (cdr x) (cdr y)))))))

;; ---- sources that cannot be read in full -------------------------------------------------------------

;; Running such a source would give errors that follow from the first ones; what can be said without
;; running it is added.
(define (check-readable source)
  (if (pair? (source-diagnostics source))
      (raise
       (make-asm-error
        (take-at-most
         (sort (append (source-diagnostics source) (static-diagnostics source))
               (lambda (x y) (< (asm-diagnostic-line x) (asm-diagnostic-line y))))
         asm-diagnostic-limit)))))

(define (static-diagnostics source)
  (define (diagnostic statement . parts)
    (let ((file (statement-file statement)))
      (make-asm-diagnostic (source-file-name file) (statement-line statement) (statement-column statement)
                           (apply text parts) (source-file-chain file)
                           (source-file-line file (statement-line statement)))))
  (filter-map
   (lambda (statement)
     (let ((name (statement-head statement)))
       (case (statement-kind statement)
         ((unknown)
          (and (not (defined-somewhere? source name))
               (diagnostic statement "there is no instruction `" name "`" (isa-name-hint name))))
         ((directive)
          (and (not (member name (directive-names)))
               (diagnostic statement "there is no directive `" name "`" (directive-hint name))))
         (else #f))))
   (statement-list source)))

(define (defined-somewhere? source name)
  (or (defined-by-library name)
      (any (lambda (statement)
             (and (eq? (statement-kind statement) 'form)
                  (let ((form (##desourcify (form-datum (statement-operands statement)))))
                    (and (pair? form)
                         (or (memq (car form) '(use include))
                             (and (eq? (car form) 'define-instruction)
                                  (pair? (cdr form))
                                  (pair? (cadr form))
                                  (eq? (caadr form) (string->symbol name))))))))
           (statement-list source))))

;; ---- programs ----------------------------------------------------------------------------------------

(define program-base 65536)
(define (no-externals name) #f)

;; mode: as in asm/assembly.
(define (assemble-whole source mode finish)
  (check-readable source)
  (assemble-statements source mode program-base no-externals '() '() finish))

(define (assemble-source source)
  (assemble-whole source 'program
    (lambda (a)
      (let ((symbols (symbols-by-value a)))
        (make-program-of a (source-name source) a symbols
                         (lambda (action) (for-each-code-line a action)) (delay (code-expansions a))
                         (or (assembly-entry a) (default-entry symbols (sections-with-room a))))))))

;; Pairs of a name and a value.
(define (symbols-by-value a)
  (map (lambda (entry)
         (cons (symbol->string (symbol-entry-name entry)) (u64 (symbol-entry-value entry))))
       (assembly-symbol-list a)))

(define (sections-with-room a)
  (filter (lambda (section) (> (section-size section) 0)) (reverse (assembly-sections a))))

;; listed: the assembly again, or #f where it has no text to list.
(define (make-program-of a name listed symbols lines-do expansions entry)
  (let ((sections (sections-with-room a)))
    (make-program
     name
     (map (lambda (section)
            (make-program-section (section-name section) (section-base section)
                                  (section-content section) (section-size section)
                                  (section-protection section)))
          sections)
     symbols
     listed
     lines-do
     expansions
     (table->list (assembly-views a))
     (reverse (assembly-imports a))
     entry
     (map symbol->string (names-bound a 'global 'weak))
     (sort (assembly-definitions a) (lambda (x y) (< (definition-opcode x) (definition-opcode y))))
     (assembly-pass a))))

(define (default-entry symbols sections)
  (cond ((assoc "_start" symbols) => cdr)
        ((assoc "main" symbols) => cdr)
        ((find (lambda (section) (string=? (section-name section) ".text")) sections) => section-base)
        ((find section-executable? sections) => section-base)
        ((pair? sections) (section-base (car sections)))
        (else program-base)))

(define (asm-string string #!key (name "text"))
  (assemble-source (read-source name string)))

(define (asm-file path)
  (assemble-source (read-source-file path)))

(define (asm-bytes bytes path)
  (assemble-source (read-source-bytes path bytes)))

(define (read-source-file path)
  (read-source-bytes path (file-bytes path)))

(define (file-bytes path)
  (with-exception-catcher
   (lambda (exception)
     (raise (if (problem? exception)
                (make-asm-error (list (make-asm-diagnostic path 0 0 (problem-message exception) '() #f)))
                exception)))
   (lambda () (source-bytes path))))

;; ---- a few bytes -------------------------------------------------------------------------------------

;; The bytes of instructions at an address: source text, or a list as a Scheme form of a source gives it.
;;   (asm '(add r1 r2 r3))   (asm "loop: addi r1, r1, -1\n bnei r1, 0, loop" at: #x10000)
(define (asm code #!key (at 0))
  (assemble-value code "asm" at no-externals '() '()
    (lambda (a source) (assembly-bytes a))))

(define (assembly-bytes a)
  (if (pair? (assembly-sections a))
      (let* ((section (car (assembly-sections a)))
             (bytes (make-u8vector (section-size section) 0)))
        (subu8vector-move! (section-bytes section) 0 (section-file-length section) bytes 0)
        bytes)
      (u8vector)))

;; Text or a value, at one place; `finish` gets the assembly and the source.
(define (assemble-value code name at external imports definitions finish)
  (let ((source (if (string? code)
                    (read-source name code)
                    (let ((file (make-source-file name #f '())))
                      (make-source file
                                   (vector (make-statement 'value file 0 0 #f code '() #f 0))
                                   '() '() '() '())))))
    (check-readable source)
    (assemble-statements source 'live at external imports definitions
      (lambda (a) (finish a source)))))
