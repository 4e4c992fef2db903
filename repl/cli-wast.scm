;; comet-vm wast: WebAssembly scripts, as wast2json writes them.

(module repl/cli-wast)
(use scheme-lib/util)
(use scheme-lib/loaders/wasm/wast)
(use repl/options)
(use debugger/show)
(use repl/cli-files)

;; The scripts that a word names: a file, or those of a folder.
(define (scripts word)
  (if (and (file-exists? word) (eq? 'directory (file-type word)))
      (map (lambda (name) (path-expand name word))
           (sort (filter (lambda (name) (string-suffix? ".json" name)) (directory-files word)) string<?))
      (list word)))

;; (passed . failed) of a script. What failed is told with file and line.
(define (run-script path)
  (with-file path
    (lambda ()
      (wast-run path (lambda (line why) (say (path-strip-directory path) ":" line ": " (visible-text why)))))))

(define (cli-wast options words)
  (if (null? words) (usage-error "no script is named: FILE.json of wast2json, or a folder of them"))
  (let* ((counts (map run-script (append-map scripts words)))
         (passed (apply + (map car counts)))
         (failed (apply + (map cdr counts))))
    (say passed " passed, " failed " failed")
    (exit (if (= 0 failed) 0 1))))
