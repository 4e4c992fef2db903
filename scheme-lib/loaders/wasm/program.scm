;; A module as a program that runs without Scheme: what it imports is what the system has (see wasi), or what its
;; embedder grants under the name MODULE.NAME.
;;
;;   (machine-load! machine (wasm->image (read-file-bytes "hello.wasm")))
;;   $ comet-vm run hello.wasm
(module scheme-lib/loaders/wasm/program)
(use scheme-lib/util)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/module)
(use scheme-lib/loaders/wasm/wasi)
(use scheme-lib/loaders/wasm/compile)
(use scheme-lib/loaders/wasm/layout)
(use scheme-lib/loaders/wasm/text-format)
(use scheme-lib/loaders/loader)
(declare (block))

;; What the system does not have is a host call of the embedder's, MODULE.NAME.
(define (function-for import)
  (or (system-function (import-module import) (import-name import))
      (let ((name (text (import-module import) "." (import-name import))))
        (if (not (host-call-name? name))
            (unlinkable "unknown import: function " (import-name import) " of module " (import-module import)
                        ": no host call can be called `" name "`"))
        name)))

(define (host-call-name? name)
  (and (<= (string-length name) 63)
       (every (lambda (c)
                (or (char<=? #\a c #\z) (char<=? #\A c #\Z) (char<=? #\0 c #\9) (memv c '(#\_ #\- #\.))))
              (string->list name))))

(define-documented (wasm->image bytes)
  "The image object of a module's bytes. It runs the start function and `_start`."
  (let ((m (read-module bytes)))
    (for-each
     (lambda (import)
       (if (not (eq? 'function (import-kind import)))
           (unlinkable "unknown import: " (import-kind import) " " (import-name import) " of module "
                       (import-module import) ": a program has its own memory, tables and globals")))
     (vector->list (module-imports m)))
    (program-image (wasm-compile m (lone-linkage (map function-for (module-imported m 'function)) '())))))

;; ---- the loader --------------------------------------------------------------------------------------

(define (load-program bytes path)
  (with-exception-catcher
   (lambda (e) (if (wasm-error? e) (fail-at path 0 0 (exception->text e)) (raise e)))
   (lambda () (wasm->image bytes))))

;; Its traps have names; its registers and places are Comet's.
(define wasm-guest
  (make-guest "wasm"
              (lambda (symbol read address) #f)
              (lambda (symbol read register) '())
              (lambda (symbol read address) #f)
              trap-text))

(define-loader wasm "WebAssembly modules, programs of WASI"
  recognises: (lambda (bytes path) (wasm-bytes? bytes))
  load: load-program
  guest: wasm-guest)

(define-loader wasm-text "WebAssembly modules in text, assembled by wabt's wat2wasm"
  recognises: (lambda (bytes path) (wasm-text? bytes))
  load: (lambda (bytes path) (load-program (wasm-text->bytes bytes path) path))
  guest: wasm-guest)
