"""Tasks that a policy wants: their script, the day on which they lapse, and what brought them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Three columns more; one task for each script of a reply or of another cause."""

    dependencies = [("store", "0020_portal")]
    operations = [
        migrations.AddField(
            model_name="task",
            name="script",
            field=models.CharField(db_default="", default="", max_length=100),
        ),
        migrations.AddField(
            model_name="task", name="expires_on", field=models.DateField(null=True)
        ),
        migrations.AddField(
            model_name="task", name="cause", field=models.CharField(max_length=200, null=True)
        ),
        migrations.RemoveConstraint(model_name="task", name="task_once_a_reply"),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.UniqueConstraint(
                fields=["reply", "kind", "script"], name="task_once_a_reply"
            ),
        ),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.UniqueConstraint(
                fields=["cause", "kind", "script"], name="task_once_a_cause"
            ),
        ),
    ]
