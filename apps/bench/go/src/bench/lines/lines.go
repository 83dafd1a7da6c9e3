// Package lines is what the benchmark's programs in Go have in common: the questions they are asked, a line of JSON each, and the
// loads they run.
//
//	benchmark ── {"id":1,"question":"measure","argument":{…}} ──► program
//	          ◄── {"id":1,"answer":{…}} or {"id":1,"failure":"…"} ──
package lines

import (
	"bufio"
	"encoding/json"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// Handler answers a question of one name.
type Handler func(argument json.RawMessage) (interface{}, error)

type asked struct {
	ID       int             `json:"id"`
	Question string          `json:"question"`
	Argument json.RawMessage `json:"argument"`
}

type answered struct {
	ID      int         `json:"id"`
	Answer  interface{} `json:"answer"`
	Failure string      `json:"failure,omitempty"`
}

// Serve answers questions, each on its own, until the benchmark goes; then the process ends.
func Serve(handlers map[string]Handler) {
	var writing sync.Mutex
	out := json.NewEncoder(os.Stdout)
	answer := func(message answered) {
		writing.Lock()
		defer writing.Unlock()
		out.Encode(message)
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var question asked
		if err := json.Unmarshal(in.Bytes(), &question); err != nil {
			answer(answered{Failure: err.Error()})
			continue
		}
		handler, known := handlers[question.Question]
		if !known {
			answer(answered{ID: question.ID, Failure: "it can't answer \"" + question.Question + "\""})
			continue
		}
		go func() {
			value, err := handler(question.Argument)
			if err != nil {
				answer(answered{ID: question.ID, Failure: err.Error()})
			} else {
				answer(answered{ID: question.ID, Answer: value})
			}
		}()
	}
	os.Exit(0)
}

// Settings reads what the program was given into `into`.
func Settings(into interface{}) {
	if len(os.Args) < 2 {
		Refuse("it takes its settings as one argument of JSON")
	}
	if err := json.Unmarshal([]byte(os.Args[1]), into); err != nil {
		Refuse("its settings can't be read: " + err.Error())
	}
}

// Refuse ends the process, and says why.
func Refuse(reason string) {
	os.Stderr.WriteString(reason + "\n")
	os.Exit(1)
}

// Load is a closed loop of so many callers, first to get warm and then measured; times are in seconds.
type Load struct {
	Operation string  `json:"operation"`
	InFlight  int     `json:"inFlight"`
	WarmUp    float64 `json:"warmUp"`
	Seconds   float64 `json:"seconds"`
}

// Sample is what a load has shown, of the calls that began and ended while it was measured.
type Sample struct {
	CommandsPerSecond float64 `json:"commandsPerSecond"`
	P50Millis         float64 `json:"p50Millis"`
	P99Millis         float64 `json:"p99Millis"`
}

// Run runs the load; the first call that fails ends it.
func (load Load) Run(call func() error) (interface{}, error) {
	begin := time.Now().Add(seconds(load.WarmUp))
	end := begin.Add(seconds(load.Seconds))
	latencies := make([][]float64, load.InFlight)
	var failed atomic.Value
	var callers sync.WaitGroup
	for i := range latencies {
		callers.Add(1)
		go func(mine *[]float64) {
			defer callers.Done()
			for failed.Load() == nil {
				since := time.Now()
				if err := call(); err != nil {
					failed.Store(failure{err})
					return
				}
				now := time.Now()
				if !since.Before(begin) && !now.After(end) {
					*mine = append(*mine, float64(now.Sub(since))/float64(time.Millisecond))
				}
				if !now.Before(end) {
					return
				}
			}
		}(&latencies[i])
	}
	callers.Wait()
	if why := failed.Load(); why != nil {
		return nil, why.(failure).error
	}
	var all []float64
	for _, mine := range latencies {
		all = append(all, mine...)
	}
	sort.Float64s(all)
	quantile := func(q float64) float64 {
		if len(all) == 0 {
			return 0
		}
		return all[int(float64(len(all)-1)*q)]
	}
	return Sample{float64(len(all)) / load.Seconds, quantile(.5), quantile(.99)}, nil
}

// An atomic value holds one type only.
type failure struct{ error }

func seconds(count float64) time.Duration {
	return time.Duration(count * float64(time.Second))
}
