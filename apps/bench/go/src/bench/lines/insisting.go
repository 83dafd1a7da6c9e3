package lines

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"
)

// Between two attempts of a caller, of which the first failed.
const pause = 5 * time.Millisecond

// Insist is a load of callers that try again until they are answered, for so many seconds or answers at most.
type Insist struct {
	ID       int     `json:"id"`
	InFlight int     `json:"inFlight"`
	Seconds  float64 `json:"seconds"`
	Answers  int64   `json:"answers"`
}

// Timeline says when each call was answered, in milliseconds since 1970.
type Timeline struct {
	Answered []float64 `json:"answered"`
}

// Insisting knows which loads were ended.
type Insisting struct {
	ended sync.Map
}

// Enough ends the load of that id.
func (s *Insisting) Enough(argument json.RawMessage) (interface{}, error) {
	var id int
	if err := json.Unmarshal(argument, &id); err != nil {
		return nil, err
	}
	s.ended.Store(id, true)
	return nil, nil
}

// Run runs one of them.
func (s *Insisting) Run(argument json.RawMessage, attempt func() error) (interface{}, error) {
	var load Insist
	if err := json.Unmarshal(argument, &load); err != nil {
		return nil, err
	}
	end := time.Now().Add(seconds(load.Seconds))
	left := load.Answers
	goesOn := func() bool {
		_, ended := s.ended.Load(load.ID)
		return !ended && time.Now().Before(end) && atomic.LoadInt64(&left) > 0
	}
	timeline := Timeline{Answered: []float64{}}
	var noting sync.Mutex
	var callers sync.WaitGroup
	for i := 0; i < load.InFlight; i++ {
		callers.Add(1)
		go func() {
			defer callers.Done()
			for goesOn() {
				if attempt() != nil {
					time.Sleep(pause)
					continue
				}
				atomic.AddInt64(&left, -1)
				noting.Lock()
				timeline.Answered = append(timeline.Answered, float64(time.Now().UnixNano())/1e6)
				noting.Unlock()
			}
		}()
	}
	callers.Wait()
	return timeline, nil
}
