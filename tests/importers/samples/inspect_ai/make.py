from inspect_ai import Epochs, Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import includes, match
from inspect_ai.solver import generate


def answer(text):
    out = ModelOutput.from_content("mockllm/model", text)
    out.usage = ModelUsage(input_tokens=3, output_tokens=2, total_tokens=5)
    return out


def run(n, **options):
    data = MemoryDataset([Sample(input=f"Question {i}?", target="yes", id=i) for i in range(n)], name="doses")
    outputs = [answer("yes" if i % 3 else "no") for i in range(n * 4)]
    task = Task(dataset=data, solver=generate(), scorer=[includes(), match()], name="doses", version=2)
    eval(task, model=get_model("mockllm/model", custom_outputs=outputs), display="none", log_dir="logs", **options)


run(6, log_format="eval", max_samples=1)
run(6, log_format="json", limit=2, max_samples=1)
run(3, log_format="json", epochs=2, max_samples=1)
run(4, log_format="eval", epochs=Epochs(3, ["mean", "pass_at_2"]), log_samples=False, max_samples=1)  # reduced.eval
