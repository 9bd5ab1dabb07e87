package main

import (
	"errors"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"ipcbench/harness/claims"
	"ipcbench/harness/env"
	"ipcbench/ipc/binder/transport"
	"ipcbench/results"
)

// claimsOptions are the flags of ipcbench claims.
type claimsOptions struct {
	only, expect   []string
	agree          string
	format, output string
	trace          string
}

func newClaims() *cobra.Command {
	var o claimsOptions
	c := &cobra.Command{
		Use:   "claims",
		Short: "Put what is said of Binder to the test",
		Long: "Claims runs an experiment for each statement of two documents on Binder, and prints the verdict\n" +
			"with the numbers it rests on. All of them take a few minutes and want an idle machine. An interrupt\n" +
			"writes what was judged until then.\n\nClaims:\n",
		Example: "  ipcbench claims\n" +
			"  ipcbench claims --only C6,C7 --format markdown -o claims.md\n" +
			"  ipcbench claims --only C2 --expect C2=supported   # anything else is exit status 1\n" +
			"  ipcbench claims --agree claims.json               # as is a verdict unlike the stored one",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c) },
	}
	for _, claim := range claims.All() {
		const indent = "       "
		c.Long += fmt.Sprintf("  %-4s %s\n", claim.ID, results.WrapPlain(claim.Statement, indent))
	}
	f := c.Flags()
	f.StringSliceVar(&o.only, "only", nil, "claims to try (default: all)")
	f.StringSliceVar(&o.expect, "expect", nil, "CLAIM=VERDICT that must come out; otherwise exit status 1")
	f.StringVar(&o.agree, "agree", "", "stored claims that no verdict may contradict; otherwise exit status 1")
	f.StringVar(&o.format, "format", results.ClaimsFormats[0].Name, "one of "+claimsFormatNames())
	f.StringVarP(&o.output, "output", "o", "", "file to write to, whole or not at all (default standard output)")
	f.StringVar(&o.trace, "trace", "", "file for C18's traced call, in Chrome's trace-event format (for Perfetto)")
	completeList(c, "only", claimNames)
	completeList(c, "format", claimsFormats)
	for _, file := range []string{"output", "trace", "agree"} {
		_ = c.MarkFlagFilename(file)
	}
	return c
}

// run checks everything that can be wrong with the flags before it measures.
func (o *claimsOptions) run(c *cobra.Command) error {
	list, err := claims.Select(o.only)
	if err != nil {
		return err
	}
	expected, err := o.expectations(list)
	if err != nil {
		return err
	}
	format, err := results.LookupClaimsFormat(o.format)
	if err != nil {
		return err
	}
	out, err := results.OpenOutput(o.output, c.OutOrStdout())
	if err != nil {
		return err
	}
	defer out.Discard()
	trace, err := o.openTrace(list)
	if err != nil {
		return err
	}
	defer trace.Discard()
	report, tryErr := try(c, list)
	if len(report.Claims) > 0 {
		if err := format.Render(out, report); err != nil {
			return err
		}
		if err := out.Commit(); err != nil {
			return err
		}
	}
	if tryErr != nil {
		return tryErr
	}
	if err := o.writeTrace(trace, report); err != nil {
		return err
	}
	return expected.check(report)
}

// openTrace is the file of --trace, if there is to be one.
func (o *claimsOptions) openTrace(list []claims.Claim) (*results.Output, error) {
	if o.trace != "" && !among(list, "C18") {
		return nil, errors.New("--trace: C18, which traces a call, is not among the claims tried")
	}
	return results.OpenOutput(o.trace, io.Discard)
}

// writeTrace writes the traced call where --trace says.
func (o *claimsOptions) writeTrace(out *results.Output, report *claims.Report) error {
	if o.trace == "" {
		return nil
	}
	trace, err := claims.ChromeTrace(report)
	if err != nil {
		return fmt.Errorf("--trace: %w", err)
	}
	if _, err := out.Write(trace); err != nil {
		return err
	}
	return out.Commit()
}

func try(c *cobra.Command, list []claims.Claim) (*claims.Report, error) {
	ctx, stop := signal.NotifyContext(c.Context(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	environment, _ := env.Capture()
	p := newProgress(c.ErrOrStderr(), time.Now)
	defer p.clear()
	bench := &claims.Bench{Transports: transports(), Subjects: subjects(), Environment: environment, Progress: p.tell}
	return bench.Try(ctx, list)
}

// subjects are the Binder devices that claims are tried on.
func subjects() (all []claims.Subject) {
	for _, c := range transport.Contexts() {
		all = append(all, c)
	}
	return all
}

// expectations are what the verdicts are held against.
type expectations struct {
	// verdicts that must come out, by claim.
	verdicts map[string]claims.Verdict
	// agree is what no verdict may contradict.
	agree claims.Report
}

func (o *claimsOptions) expectations(tried []claims.Claim) (e expectations, err error) {
	if e.verdicts, err = parseExpectations(o.expect, tried); err != nil || o.agree == "" {
		return e, err
	}
	stored, err := results.ReadClaimsFile(o.agree)
	if err != nil {
		return e, err
	}
	e.agree = *stored
	return e, nil
}

// parseExpectations reads CLAIM=VERDICT; the claims must be among those tried.
func parseExpectations(texts []string, tried []claims.Claim) (map[string]claims.Verdict, error) {
	all := map[string]claims.Verdict{}
	for _, text := range texts {
		id, name, found := strings.Cut(text, "=")
		verdict := claims.Verdict(name)
		switch {
		case !found:
			return nil, fmt.Errorf("--expect %q: CLAIM=VERDICT is needed, such as C2=supported", text)
		case !among(tried, id):
			return nil, fmt.Errorf("--expect %q: %s is not among the claims tried", text, id)
		case !verdict.Known():
			return nil, fmt.Errorf("--expect %q: no such verdict (have %s)", text, claims.VerdictNames())
		}
		all[id] = verdict
	}
	return all, nil
}

func among(list []claims.Claim, id string) bool {
	for _, c := range list {
		if c.ID == id {
			return true
		}
	}
	return false
}

// check wraps errNo where a verdict is not one that was expected.
func (e expectations) check(r *claims.Report) error {
	wrong := r.Contradictions(&e.agree)
	for i := range r.Claims {
		o := &r.Claims[i]
		if want, have := e.verdicts[o.ID]; have && o.Verdict != want {
			wrong = append(wrong, fmt.Sprintf("%s is %s, not %s", o.ID, o.Verdict, want))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%w: %s", errNo, strings.Join(wrong, "; "))
	}
	return nil
}

func claimNames() (names []string) {
	for _, c := range claims.All() {
		names = append(names, c.ID+"\t"+c.Statement)
	}
	return names
}

func claimsFormats() (names []string) {
	for _, f := range results.ClaimsFormats {
		names = append(names, f.Name+"\t"+f.Summary)
	}
	return names
}

func claimsFormatNames() string {
	var names []string
	for _, f := range results.ClaimsFormats {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}
