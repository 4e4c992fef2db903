;; scheme-lib/view-text: descriptions of views from text and to text, and what views show as lines.
(##namespace ("scheme-lib/view-text#" text->view view->text tree->line tree->lines remark?))
