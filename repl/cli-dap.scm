;; comet-vm dap: the debugger for editors, over standard input and output or a port of this host.

(module repl/cli-dap)
(use scheme-lib/util)
(use debugger/dap/server)
(use repl/options)
(use repl/do-line)
(use repl/completion)
(use repl/repl)

(define dap-options
  '(("--port" number "N" "wait for one client at 127.0.0.1:N, 0 for any free port, instead of standard input")))

;; ---- the client ----------------------------------------------------------------------------------------

(define (serve input output)
  (import-libraries!)
  (exit (if (serve-dap input output do-line complete) 0 status-bad-data)))

(define (serve-port number)
  (if (> number 65535) (usage-error "a port is a number from 0 to 65535, not " number))
  (let ((server (with-exception-catcher
                 (lambda (exception)
                   (exit-with status-system "port " number " of 127.0.0.1 cannot be listened at: "
                              (exception->text exception)))
                 (lambda () (open-tcp-server (list server-address: "127.0.0.1" port-number: number))))))
    (println "listening at 127.0.0.1:" (socket-info-port-number (tcp-server-socket-info server)))
    (force-output)
    (let ((client (read server)))
      (close-port server)
      (serve client client))))

(define (cli-dap options words)
  (if (pair? words)
      (usage-error "no file is taken, for the client names it in `launch`; `" (car words) "` is too much"))
  (let ((port (option-value options "--port")))
    (if port (serve-port port) (serve ##stdin-port ##stdout-port))))
